package handlers

import (
	"strings"

	"pitstop/stack"
)

// loadedWords say which services have loaded a version of the config file that Pitstop would not have
// put there, and which go on with another: by their own word, and nothing of those that have not spoken.
func (s *Server) loadedWords(r stack.Revision) string {
	var with, without []string
	for _, svc := range s.o.Controller.Status().Services {
		switch {
		case svc.Loaded == "":
		case r.Is(svc.Loaded):
			with = append(with, svc.Name)
		default:
			without = append(without, svc.Name+" goes on with "+svc.Loaded.Short())
		}
	}
	var parts []string
	if len(with) > 0 {
		parts = append(parts, strings.Join(with, " and ")+" loaded it all the same")
	}
	if parts = append(parts, without...); len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, "; ") + "."
}

// unfit is the live file's trouble as a page tells it, with what the services made of the file.
func (s *Server) unfit(live liveConfig, text string) string {
	if live.Revision == "" {
		return text
	}
	return strings.TrimSpace(text + " " + s.loadedWords(live.Revision))
}

// newestVersion is the version that the config file had when it was last seen.
func (s *Server) newestVersion() string {
	if list := s.seenVersions(); len(list) > 0 {
		return string(list[0].Revision)
	}
	return ""
}
