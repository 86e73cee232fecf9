package process

import (
	"bytes"
	"os"
	"strconv"
	"strings"
)

// Every process that is started carries these in its environment, and so do its descendants.
const (
	serviceVariable = "PITSTOP_SERVICE"
	lifeVariable    = "PITSTOP_LIFE" // LIFE@FOLDER, the folder being that of the service under the state folder
)

func mark(life, folder string) string { return lifeVariable + "=" + life + "@" + folder }

// marked is the environment with which a service is started.
func marked(environment []string, service, life, folder string) []string {
	var kept []string
	for _, entry := range environment {
		name, _, _ := strings.Cut(entry, "=")
		if name != serviceVariable && name != lifeVariable {
			kept = append(kept, entry)
		}
	}
	return append(kept, serviceVariable+"="+service, mark(life, folder))
}

// markOf reads which life of the service in this folder a process belongs to.
func markOf(pid int, folder string) (life string, ok bool) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return "", false // it has ended, or belongs to another user and so is none of ours
	}
	for entry := range bytes.SplitSeq(text, []byte{0}) {
		if value, found := strings.CutPrefix(string(entry), lifeVariable+"="); found {
			life, at, _ := strings.Cut(value, "@")
			return life, at == folder
		}
	}
	return "", false
}

// findMain looks for the main process of a life that a killed panel did not come to record: of the
// session leaders that carry the mark, the first to start. An empty life stands for any.
func findMain(folder, life string) (main process, found string, ok bool) {
	for _, p := range everyProcess() {
		if p.session != p.pid || p.state == 'Z' || ok && p.start >= main.start {
			continue
		}
		if of, marked := markOf(p.pid, folder); marked && (life == "" || of == life) {
			main, found, ok = p, of, true
		}
	}
	return main, found, ok
}

// leftovers are processes of the session that a main process, now gone, had led. The mark keeps
// strangers out, should the session's number have changed hands.
func leftovers(session int, folder, life string) []process {
	var found []process
	for _, p := range everyProcess() {
		if p.session != session || p.state == 'Z' {
			continue
		}
		if of, marked := markOf(p.pid, folder); marked && of == life {
			found = append(found, p)
		}
	}
	return found
}
