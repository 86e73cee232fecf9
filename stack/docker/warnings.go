package docker

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
)

// healerLabels are the labels with which containers ask to be restarted when they look unhealthy,
// and whose doing that is.
var healerLabels = map[string]string{
	"autoheal":                        "autoheal",
	"deunhealth.restart.on.unhealthy": "deunhealth",
}

// warnings are the sentences about this container that a person should read before the first save.
func warnings(d container.InspectResponse, configPath string) []string {
	var all []string
	name := strings.TrimPrefix(d.Name, "/")
	for _, m := range d.Mounts {
		if isConfigFile(m, configPath) {
			all = append(all, fmt.Sprintf("%s mounts the file %s alone (at %s), so it keeps the old file when a save replaces it: mount the folder that holds it instead.",
				name, filepath.Base(configPath), m.Destination))
		}
	}
	for label, healer := range healerLabels {
		if d.Config.Labels[label] == "true" {
			all = append(all, fmt.Sprintf("%s is watched by %s (label %s=true), which restarts a container whose health probe fails, and a paused one answers none: keep its probe interval times its retries above max_pause.",
				name, healer, label))
		}
	}
	return all
}

// isConfigFile tells whether a mount is the config file itself and not a folder that holds it. The
// panel may see the file under another path than the engine, so that the base name decides.
func isConfigFile(m container.MountPoint, configPath string) bool {
	if configPath == "" || m.Type != mount.TypeBind {
		return false
	}
	base := filepath.Base(configPath)
	return path.Base(m.Source) == base || path.Base(m.Destination) == base
}
