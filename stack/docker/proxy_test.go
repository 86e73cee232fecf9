package docker

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"pitstop/stack/docker/dockertest"
)

// allowlist are the calls that deploy/socket-proxy.md tells people to let through, without those that
// it advises against. The page itself is read, so that it cannot say something else than is tested.
func allowlist(t *testing.T) []*regexp.Regexp {
	t.Helper()
	page, err := os.ReadFile("../../deploy/socket-proxy.md")
	if err != nil {
		t.Fatal(err)
	}
	var list []*regexp.Regexp
	for line := range strings.Lines(string(page)) {
		if !strings.HasPrefix(line, "| `") || strings.Contains(line, "exec") {
			continue
		}
		for _, m := range regexp.MustCompile("`(HEAD|GET|POST) ([^`?]+)").FindAllStringSubmatch(line, -1) {
			path := strings.ReplaceAll(m[2], "{id}", "[^/]+")
			list = append(list, regexp.MustCompile(`^`+m[1]+` (/v1\.\d+)?`+path+`$`))
		}
	}
	if len(list) < 8 {
		t.Fatalf("the page names only %d calls", len(list))
	}
	return list
}

func TestContractThroughAProxyThatAllowsOnlyWhatTheDocsName(t *testing.T) {
	list := allowlist(t)
	var mu sync.Mutex
	refused := map[string]bool{}
	contract(t, func(t *testing.T, e *dockertest.Engine) string {
		d := newDoor(t, e)
		d.refuse = func(r *http.Request) bool {
			call := r.Method + " " + r.URL.Path
			for _, allowed := range list {
				if allowed.MatchString(call) {
					return false
				}
			}
			mu.Lock()
			defer mu.Unlock()
			refused[call] = true
			return true
		}
		d.open()
		return d.host()
	})
	for call := range refused {
		t.Errorf("the backend asked for %s, which deploy/socket-proxy.md does not name", call)
	}
}
