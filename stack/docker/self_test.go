package docker

import (
	"fmt"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/storage"

	"pitstop/stack"
	"pitstop/stack/docker/dockertest"
)

const (
	panelID = "64fcb746f0dce08b3c8660fce75694f6cf45fe7a2d9c420ef2cb92ab7b844001"
	otherID = "7edba1dce4efea28664d9949f24a2b22ee76fd959e2f93cb47cd85c090522b69"
	aroundA = "c2b9d29052c5ae0e72a429049e3219ec68f3a9bd42f91ee99e670b0a63b401f0"

	panelLayer = "/var/lib/docker/overlay2/9fd7857c89ae04d97d261aff853cdef3574903194bb66f7ecb301c1cdbce49fb/diff"
	otherLayer = "/var/lib/docker/overlay2/b5996c65720b2d84ed6c7755f65d79ca4cdc917d1f0a6a6e886307d8ff32d685/diff"

	overlayRoot = "75 49 0:39 / / rw,relatime master:2 - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/FAFZ:/var/lib/docker/overlay2/l/3TVY,upperdir=" + panelLayer + ",workdir=/var/lib/docker/overlay2/9fd7/work\n"
	// An engine with many layers gives the kernel relative paths.
	relativeRoot = "75 49 0:39 / / rw,relatime - overlay overlay rw,lowerdir=l/FAFZ:l/3TVY,upperdir=9fd7857c89ae04d97d261aff853cdef3574903194bb66f7ecb301c1cdbce49fb/diff,workdir=9fd7/work\n"
	otherRoot    = "75 49 254:0 / / rw,relatime - btrfs /dev/vda rw\n"
	procMount    = "76 75 0:43 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw\n"
	sharedMemory = "49 27 0:50 / /var/lib/docker/containers/" + otherID + "/mounts/shm rw,nosuid - tmpfs shm rw,size=65536k\n"
)

// dockerMounts are what an engine mounts of a container's own files.
func dockerMounts(id string) (text string) {
	for n, name := range []string{"resolv.conf", "hostname", "hosts"} {
		text += fmt.Sprintf("%d 75 254:0 /var/lib/docker/containers/%s/%s /etc/%s rw,relatime - ext4 /dev/vda rw,discard\n", 96+n, id, name, name)
	}
	return text
}

func inspected(id, upper string) container.InspectResponse {
	d := container.InspectResponse{
		ContainerJSONBase: &container.ContainerJSONBase{ID: id, GraphDriver: storage.DriverData{}},
		Config:            &container.Config{Hostname: id[:12]},
	}
	if upper != "" {
		d.GraphDriver.Data = map[string]string{"UpperDir": upper}
	}
	return d
}

func TestThePanelKnowsItsOwnContainer(t *testing.T) {
	podman := "201 180 0:24 /containers/overlay-containers/" + panelID + "/userdata/hostname /etc/hostname rw,nosuid - tmpfs tmpfs rw\n"
	for name, c := range map[string]struct {
		cgroup, mountinfo, host string
		upper                   [2]string // of the panel's container and the other, as the engine tells; empty: it does not
		isNone, isBoth          bool
	}{
		"docker, cgroup v1": {
			cgroup:    "9:name=systemd:/docker/" + panelID + "\n6:freezer:/docker/" + panelID + "\n0::/docker/" + panelID + "\n",
			mountinfo: overlayRoot + procMount + dockerMounts(panelID), host: panelID[:12],
		},
		"docker under systemd, cgroup v2 of the host": {
			cgroup: "0::/system.slice/docker-" + panelID + ".scope\n", mountinfo: otherRoot + dockerMounts(panelID),
		},
		"docker, a cgroup namespace of its own": {
			cgroup: "0::/\n", mountinfo: overlayRoot + procMount + dockerMounts(panelID), upper: [2]string{panelLayer, otherLayer},
		},
		"an engine that tells no layers": {
			cgroup: "0::/\n", mountinfo: overlayRoot + dockerMounts(panelID), host: "vm",
		},
		"another container's network, whose files and hostname are that one's": {
			cgroup: "0::/\n", mountinfo: overlayRoot + dockerMounts(otherID), host: otherID[:12], upper: [2]string{panelLayer, otherLayer},
		},
		"another container's network, and no cgroup namespace": {
			cgroup: "0::/system.slice/docker-" + panelID + ".scope\n", mountinfo: otherRoot + dockerMounts(otherID), host: otherID[:12],
		},
		"layers by relative paths": {
			cgroup: "0::/\n", mountinfo: relativeRoot, upper: [2]string{panelLayer, otherLayer},
		},
		"podman, cgroup v2": {
			cgroup: "0::/machine.slice/libpod-" + panelID + ".scope/container\n", mountinfo: otherRoot,
		},
		"podman, a cgroup namespace of its own": {
			cgroup: "0::/\n", mountinfo: otherRoot + podman,
		},
		"nothing but the hostname": {
			cgroup: "0::/\n", mountinfo: otherRoot + procMount, host: panelID[:12],
		},
		"a container within a container: both are paused with the panel": {
			cgroup: "6:freezer:/docker/" + otherID + "/docker/" + panelID + "\n", mountinfo: otherRoot + dockerMounts(panelID), isBoth: true,
		},
		"no container, on a machine that has some": {
			cgroup: "0::/user.slice/user-1000.slice/session-3.scope\n", mountinfo: otherRoot + sharedMemory, host: "vm", isNone: true,
		},
		"a container of something else": {
			cgroup: "0::/kubepods/pod1/" + aroundA + "\n", mountinfo: otherRoot, host: panelID[:12], isNone: true,
		},
		"nothing that can be read": {isNone: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := selfOf(c.cgroup, c.mountinfo, c.host)
			if got := s.is(inspected(panelID, c.upper[0])); got == c.isNone {
				t.Errorf("the panel's container: got %v of %+v", got, s)
			}
			if got := s.is(inspected(otherID, c.upper[1])); got != c.isBoth {
				t.Errorf("the other container: got %v of %+v", got, s)
			}
		})
	}
}

func TestAContainerWithTheHostsNameIsNotThePanels(t *testing.T) {
	d := inspected(panelID, "")
	d.Config.Hostname = "renamed"
	if s := selfOf("0::/\n", otherRoot, panelID[:12]); s.is(d) {
		t.Error("its hostname was not compared")
	}
}

func TestThePanelsOwnContainerIsLeftOut(t *testing.T) {
	e := dockertest.New(t)
	idle := []string{"sleep", "infinity"}
	panel := e.Run(dockertest.Spec{Name: "panel", Cmd: idle, Labels: labels(e, "all")})
	service := e.Run(dockertest.Spec{Name: "service", Cmd: idle, Labels: labels(e, "all")})
	b := newBackend(t, Options{Services: []stack.Service{app(e, "all")}})
	// What a process in there reads of itself, with and without a cgroup namespace.
	mounts, _ := panel.Exec("cat", "/proc/self/mountinfo")
	cgroup, _ := panel.Exec("cat", "/proc/self/cgroup")
	for name, s := range map[string]self{"its cgroups": selfOf(cgroup, "", ""), "its mounts": selfOf("0::/\n", mounts, "")} {
		t.Run("known by "+name, func(t *testing.T) {
			b.self = s
			i := only(t, b)
			if i.ID != service.ID {
				t.Errorf("got %+v, want the service alone", i)
			}
			if text := strings.Join(i.Warnings, "\n"); !strings.Contains(text, panel.Name+" too, Pitstop's own container") {
				t.Errorf("warnings: got %q, want one that names the panel's container", text)
			}
		})
	}
	t.Run("and only that", func(t *testing.T) {
		b.self = self{}
		if all, err := b.Instances(t.Context()); err != nil || len(all) != 2 {
			t.Errorf("got %v (%v), want both", all, err)
		}
	})
}
