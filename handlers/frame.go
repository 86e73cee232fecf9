package handlers

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"pitstop/views"
)

// frame is what every page has around its content. page is "" for one that the navigation lacks.
func (s *Server) frame(title, page string, r *http.Request) views.Frame {
	back := "/"
	if r.Method == http.MethodGet {
		back = r.URL.RequestURI()
	} else if page != "" && page != "overview" {
		back = "/" + page
	}
	return views.Frame{Title: title, Page: page, Version: s.o.Version, Trading: s.trading(back), Later: s.laterNotice(back)}
}

// streamURL is the address of a page's event stream. back is the page itself, for the forms in its
// banner.
func streamURL(page, back string, more url.Values) string {
	q := url.Values{"page": {page}, "back": {back}}
	for k, v := range more {
		q[k] = v
	}
	return "/events?" + q.Encode()
}

// safeBack is a path of this panel to come back to: never an address elsewhere.
func safeBack(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.HasPrefix(path, `/\`) {
		return "/"
	}
	return path
}

// zone is where the panel's times are told: the schedule's zone if there is one.
func (s *Server) zone() *time.Location {
	return s.o.Scheduler.Status().Zone()
}
