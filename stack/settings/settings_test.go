package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pitstop.toml")
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

const open = "[auth]\nmode = \"none\"\n"

func TestTheDefaultsAreTheDocumentedOnes(t *testing.T) {
	s, err := Load(write(t, open), true, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.Listen != "127.0.0.1:8080" || s.Backend != Docker || s.ReloadTimeout != 10*time.Second || s.MaxPause != 30*time.Second || s.KeepBackups != 50 {
		t.Errorf("got %+v", s)
	}
	if len(s.Services) != 2 || s.Services[0].Reload.Signal != "SIGUSR1" || !s.Services[1].Reload.Watch {
		t.Errorf("services: got %+v", s.Services)
	}
}

func TestTheFileAndTheEnvironmentSayWhatCounts(t *testing.T) {
	path := write(t, open+`
[stack]
backend = "process"
reload_timeout = "3s"
[[stack.service]]
name = "a"
command = ["./a", "-v"]
reload = { watch = true, confirm = "" }
`)
	s, err := Load(path, true, []string{"PITSTOP_STACK_RELOAD_TIMEOUT=4s", "PITSTOP_ALLOWED_HOSTS=panel.lan, desk.lan", "PITSTOP_STACK_KEEP_BACKUPS=7", "OTHER=1"})
	if err != nil {
		t.Fatal(err)
	}
	if s.ReloadTimeout != 4*time.Second || s.KeepBackups != 7 || strings.Join(s.AllowedHosts, " ") != "panel.lan desk.lan" {
		t.Errorf("got %+v", s)
	}
	if len(s.Services) != 1 || s.Services[0].Command[1] != "-v" || s.Services[0].Reload.Confirm != "" || s.Services[0].Reload.Reject == "" {
		t.Errorf("services: got %+v", s.Services)
	}
}

func TestWhatIsWrongIsSaidWithItsPlace(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		environ []string
		want    []string
	}{
		"an unknown key":              {open + "[stack]\nbakend = \"docker\"", nil, []string{":4:1: stack.bakend: there is no such setting; did you mean stack.backend?"}},
		"an unknown table":            {open + "[stacks]\nx = 1", nil, []string{"stacks: there is no such setting"}},
		"an unknown service key":      {open + "[[stack.service]]\nname = \"a\"\nselektor = \"x\"", nil, []string{"stack.service.0.selektor: there is no such setting; did you mean selector?"}},
		"a wrong type":                {"listen = 8080\n" + open, nil, []string{":1:1: listen: must be text in quotes, not a whole number"}},
		"a table where text belongs":  {open + "[listen]\nx = 1", nil, []string{"listen: must be text in quotes, not a table"}},
		"not a duration":              {open + "[stack]\nmax_pause = \"soon\"", nil, []string{`stack.max_pause: "soon" is not a duration`}},
		"no TOML":                     {"listen = ", nil, []string{"pitstop.toml", "1"}},
		"a variable misspelt":         {open, []string{"PITSTOP_LISSTEN=127.0.0.1:1", "PITSTOP_PORT=tcp://10.0.0.7:80"}, []string{"PITSTOP_LISSTEN: there is no such setting; did you mean PITSTOP_LISTEN?"}},
		"the environment":             {open, []string{"PITSTOP_STACK_KEEP_BACKUPS=many"}, []string{`PITSTOP_STACK_KEEP_BACKUPS: "many" is not a whole number`}},
		"two services of one name":    {open + "[[stack.service]]\nname=\"a\"\nselector=\"x=y\"\nreload={watch=true}\n[[stack.service]]\nname=\"a\"\nselector=\"x=y\"\nreload={watch=true}", nil, []string{"has the same name"}},
		"no way to reload":            {open + "[[stack.service]]\nname=\"a\"\nselector=\"x=y\"", nil, []string{"(a).reload: needs a signal"}},
		"a signal that kills":         {open + "[[stack.service]]\nname=\"a\"\nselector=\"x=y\"\nreload={signal=\"SIGKILL\"}", nil, []string{`"SIGKILL" is not a signal to reload with`}},
		"no command":                  {open + "[stack]\nbackend=\"process\"", nil, []string{"(python-orchestrator).command: is missing", "(go-scanner).command"}},
		"a backend to come":           {open + "[stack]\nbackend=\"kubernetes\"", nil, []string{"kubernetes backend is not there yet"}},
		"a password":                  {"", nil, []string{"signing in with a password is not there yet"}},
		"an open address":             {"listen = \"0.0.0.0:8080\"\n" + open, nil, []string{"can be reached from other machines"}},
		"every address":               {"listen = \":8080\"\n" + open, nil, []string{"can be reached from other machines"}},
		"no port":                     {"listen = \"127.0.0.1\"\n" + open, nil, []string{"is not HOST:PORT"}},
		"a port that is none":         {"listen = \"127.0.0.1:70000\"\n" + open, nil, []string{"is not HOST:PORT"}},
		"text where a table belongs":  {"stack = 1\n" + open, nil, []string{"stack: must be a table, under [stack], not a whole number"}},
		"text where a list belongs":   {"allowed_hosts = \"a\"\n" + open, nil, []string{`allowed_hosts: must be a list of texts, such as ["a", "b"], not text`}},
		"a command in one text":       {open + "[[stack.service]]\nname=\"a\"\ncommand=\"sleep 5\"", nil, []string{"stack.service.0.command: must be a list"}},
		"text where a number belongs": {open + "[stack]\nkeep_backups = \"7\"", nil, []string{"stack.keep_backups: must be a whole number, not text"}},
		"a service name with a slash": {open + "[[stack.service]]\nname=\"a/b\"\nselector=\"x=y\"\nreload={watch=true}", nil, []string{"(a/b).name: may hold letters"}},
		"no backups":                  {open + "[stack]\nkeep_backups = 0", nil, []string{"must be at least 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(write(t, c.content), true, c.environ)
			if err == nil {
				t.Fatal("got no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got  %v\nwant %s", err, want)
				}
			}
		})
	}
}

func TestAMissingFileIsOnlyAnErrorIfItWasAskedFor(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none.toml")
	if _, err := Load(missing, true, nil); err == nil || !strings.Contains(err.Error(), "there is no settings file") {
		t.Errorf("asked for: got %v", err)
	}
	if _, err := Load(missing, false, []string{"PITSTOP_AUTH_MODE=none"}); err != nil {
		t.Errorf("not asked for: got %v", err)
	}
}

func TestEverySettingIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/SETTINGS.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, k := range keys {
		want = append(want, "| `"+k.name+"` |", "| `"+Variable(k.name)+"` |")
	}
	for _, k := range serviceKeys {
		want = append(want, "| `"+k.name+"` |")
	}
	for _, w := range want {
		if !strings.Contains(string(doc), w) {
			t.Errorf("docs/SETTINGS.md has no %s", w)
		}
	}
}
