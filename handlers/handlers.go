// Package handlers is the panel over HTTP: pages, their event streams, and the API below /api/v1.
//
// A handler parses, calls the core, builds a value and renders it; it returns an error where that
// fails, and fail, in one place, makes a status and a public sentence of it. Whoever adds a page adds
// its routes here, its value in views, and what of it changes by itself in pageParts.
package handlers

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"pitstop/schedule"
	"pitstop/schema"
	"pitstop/stack"
	"pitstop/stack/configfile"
	"pitstop/stack/later"
	"pitstop/static"
)

// Options are what the panel shows and acts on. All but the last three are required.
type Options struct {
	Controller *stack.Controller
	Store      *configfile.Store
	Schema     *schema.Schema
	Gate       *schedule.Gate
	Scheduler  *schedule.Scheduler
	// Check says what is wrong with a config document; the Controller's Validate is the same.
	Check func(content []byte) []stack.Problem
	// Remarks are what somebody who makes this change should know; the Controller's are the same.
	Remarks func(old, new []byte) []string
	// Later is the queue of "Apply later"; nil: it is not offered.
	Later *later.Queue
	// Broken says why no document can be checked, and so none saved; empty: one can.
	Broken string
	// AllowedHosts are the names, without ports, that the panel answers to beside the loopback
	// ones: the host that it listens on belongs here.
	AllowedHosts []string
	Version      string
	Backend      string           // how the stack is reached, as the settings name it
	Log          *slog.Logger     // nil: none
	Now          func() time.Time // nil: time.Now
}

// Server is the panel. Its methods are safe for concurrent use.
type Server struct {
	o       Options
	log     *slog.Logger
	now     func() time.Time
	hosts   map[string]bool
	changes *changes
	config  configCache
	told    toldState
	drafts  drafts // what was typed into the config form
	kept    keptTexts
	plans   drafts // what was typed into the schedule form

	closing context.Context // ends every event stream
	close   context.CancelFunc
}

// New makes the panel and its handler. It listens to the core's changes from now on.
func New(o Options) (*Server, http.Handler) {
	s := &Server{o: o, log: o.Log, now: o.Now, hosts: allowedHosts(o.AllowedHosts), changes: newChanges()}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	s.closing, s.close = context.WithCancel(context.Background())
	o.Controller.OnChange(s.changes.happened)
	o.Gate.OnChange(s.changes.happened)
	o.Scheduler.OnChange(s.changes.happened)
	if o.Later != nil {
		o.Later.OnChange(s.changes.happened)
	}
	return s, s.routes()
}

// Changed tells open pages to look again, after something that the panel cannot see by itself, such
// as an edit of the config file from outside.
func (s *Server) Changed() { s.changes.happened() }

// Close ends every event stream, so that http.Server.Shutdown, which waits for them, can end.
func (s *Server) Close() { s.close() }

// How large a request may be.
const (
	maxDocument = 16 << 20 // a whole config, as a document or as a form
	maxSmall    = 64 << 10 // everything else
)

func (s *Server) routes() http.Handler {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = s.fail
	e.Pre(s.guard) // before the router: a foreign host learns nothing, not even what exists

	small, document := limit(maxSmall), limit(maxDocument)

	// Pages.
	e.GET("/", s.getOverview)
	e.GET("/config", s.getConfig)
	e.GET("/config/run", s.redirectToConfig)
	e.POST("/config/run", s.postConfigRun, document)
	e.GET("/config/review", s.redirectToConfig)
	e.POST("/config/review", s.postConfigReview, document)
	e.GET("/schedule", s.getSchedule)
	e.GET("/schedule/run", s.redirectToSchedule)
	e.POST("/schedule/run", s.postScheduleRun, small)
	e.GET("/schedule/preview", s.redirectToSchedule)
	e.POST("/schedule/preview", s.postSchedulePreview, small)
	e.GET("/later", s.getLater)
	e.GET("/later/edit", s.getLaterEdit)
	e.POST("/later", s.postLater, document)
	e.POST("/later/change", s.postLaterChange, small)
	e.POST("/reload", s.postReload, small)
	e.POST("/trading", s.postTrading, small)
	e.GET("/events", s.getPageEvents)

	// The history.
	e.GET("/history", s.getHistory)
	e.GET("/history/compare", s.getCompare)
	e.GET("/history/restore", s.getRestore)
	e.POST("/history/restore", s.postRestore, small)
	e.GET("/history/backups/:name", s.getHistoryBackup)
	e.GET("/history/:id", s.getHistoryEntry)
	e.POST("/history/:id/note", s.postHistoryNote, small)

	// The API.
	v1 := e.Group("/api/v1")
	v1.GET("/status", s.apiStatus)
	v1.GET("/config", s.apiGetConfig)
	v1.PUT("/config", s.apiPutConfig, document)
	v1.PATCH("/config", s.apiPatchConfig, document)
	v1.GET("/later", s.apiGetLater)
	v1.POST("/later", s.apiPostLater, document)
	v1.DELETE("/later", s.apiDeleteLater)
	v1.POST("/reload", s.apiReload, small)
	v1.GET("/runs", s.apiRuns)
	v1.GET("/runs/:id", s.apiRun)
	v1.GET("/runs/:id/events", s.apiRunEvents)
	v1.PUT("/runs/:id/note", s.apiPutNote, small)
	v1.GET("/history", s.apiHistory)
	v1.GET("/backups", s.apiBackups)
	v1.GET("/backups/:name", s.apiBackup)
	v1.POST("/backups/:name/restore", s.apiRestore, small)
	v1.GET("/versions", s.apiVersions)
	v1.GET("/versions/:revision", s.apiVersion)
	v1.POST("/versions/:revision/restore", s.apiRestoreVersion, small)
	v1.GET("/trading", s.apiGetTrading)
	v1.PUT("/trading", s.apiPutTrading, small)
	v1.GET("/windows", s.apiWindows)
	v1.GET("/events", s.apiEvents)

	// For machines that watch the panel itself.
	e.Match([]string{"GET", "HEAD"}, "/healthz", s.healthz)
	e.Match([]string{"GET", "HEAD"}, "/readyz", s.readyz)

	e.Match([]string{"GET", "HEAD"}, static.Prefix+"*", echo.WrapHandler(static.Handler()))
	return headAsGet(e)
}
