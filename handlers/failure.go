package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/labstack/echo/v4"

	"pitstop/schedule"
	"pitstop/stack"
	"pitstop/views"
)

// refusal is an error with what the public may know of it. The cause goes to the log and never to a
// page.
type refusal struct {
	status   int
	public   string
	problems []stack.Problem
	run      *stack.Report
	cause    error
}

// refuse is an error with this status and this sentence for whoever asked.
func refuse(status int, public string) *refusal { return &refusal{status: status, public: public} }

func (r *refusal) because(err error) *refusal { r.cause = err; return r }

func (r *refusal) Error() string {
	if r.cause != nil {
		return r.public + " (" + r.cause.Error() + ")"
	}
	return r.public
}

func (r *refusal) Unwrap() error { return r.cause }

// asRefusal is the one place in which errors become statuses and public sentences.
func asRefusal(err error) *refusal {
	var (
		r     *refusal
		large *http.MaxBytesError
		he    *echo.HTTPError
	)
	switch {
	case errors.As(err, &r):
		return r
	case errors.As(err, &large):
		return refuse(http.StatusRequestEntityTooLarge, fmt.Sprintf("That is more than the %d kB that this panel takes in one request; nothing was changed.", large.Limit>>10)).because(err)
	case errors.Is(err, stack.ErrShutdown):
		return refuse(http.StatusServiceUnavailable, "Pitstop is shutting down and starts no more runs. Try again when it is back.").because(err)
	case errors.Is(err, stack.ErrConflict):
		return refuse(http.StatusPreconditionFailed, "The config file was changed meanwhile. Read it again, then repeat your change.").because(err)
	case errors.Is(err, stack.ErrUnavailable):
		return refuse(http.StatusBadGateway, "The stack cannot be reached. See the overview for the reason.").because(err)
	case errors.Is(err, schedule.ErrRefused):
		said := strings.TrimSuffix(err.Error(), ": "+schedule.ErrRefused.Error()) // as the status does
		return refuse(http.StatusUnprocessableEntity, sentence(errors.New(said))).because(err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return refuse(http.StatusRequestTimeout, "The request stopped coming, and nothing was done.").because(err)
	case errors.Is(err, context.Canceled), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return refuse(499, "The request was given up.").because(err)
	case errors.As(err, &he):
		switch he.Code {
		case http.StatusNotFound:
			return refuse(he.Code, "There is nothing at this address.")
		case http.StatusMethodNotAllowed:
			return refuse(he.Code, "This address does not know that method.")
		}
		return refuse(he.Code, http.StatusText(he.Code)+".").because(err)
	}
	return refuse(http.StatusInternalServerError, "Something went wrong inside Pitstop. Its log says what; nothing more is known here.").because(err)
}

// runRefusal is the refusal for a run that did not end well; nil for one that the API answers with
// 200, which a rolled-back one is.
func runRefusal(r stack.Report) *refusal {
	var status int
	switch r.Outcome {
	case stack.Rejected:
		switch r.Cause {
		case stack.CauseConflict:
			status = http.StatusPreconditionFailed
		case stack.CauseBusy:
			status = http.StatusConflict
		case stack.CauseBackend:
			status = http.StatusBadGateway
		case stack.CauseConfig:
			status = http.StatusServiceUnavailable
		default:
			status = http.StatusUnprocessableEntity
		}
	case stack.Failed:
		switch r.Cause {
		case stack.CauseBackend:
			status = http.StatusBadGateway
		case stack.CauseConfig:
			status = http.StatusServiceUnavailable
		default:
			status = http.StatusInternalServerError
		}
	default:
		return nil
	}
	return &refusal{status: status, public: r.Message, problems: r.Errors, run: &r}
}

// fail answers a request whose handler returned an error.
func (s *Server) fail(err error, c echo.Context) {
	if c.Response().Committed {
		return // a stream that broke off: there is nobody left to tell
	}
	r := asRefusal(err)
	if r.status >= 500 && r.cause != nil {
		s.log.Error("a request failed", "method", c.Request().Method, "path", c.Request().URL.Path, "status", r.status, "error", r.cause)
	}
	byScript := c.Request().Header.Get("HX-Request") != ""
	if r.status == http.StatusRequestEntityTooLarge && !byScript && !strings.HasPrefix(c.Request().URL.Path, "/api/") {
		r.public += " Go back in the browser: what you typed is still there."
	}
	switch req := c.Request(); {
	case strings.HasPrefix(req.URL.Path, "/api/"):
		err = writeProblem(c, r)
	case r.status == http.StatusMisdirectedRequest:
		err = c.String(r.status, r.public+"\n") // a foreign host gets no page
	case byScript && (req.Method == http.MethodPost || req.Header.Get("HX-Request-Type") == "partial"):
		// The page stays, and with it what was typed there.
		c.Response().Header().Set("HX-Reswap", "none")
		err = s.render(c, r.status, views.Send(views.Part{ID: "toasts", Body: views.Toasts(views.Toast{Alert: r.public})}))
	default:
		frame := s.frame("Error", "", c.Request())
		frame.Stream = streamURL("frame", frame.Trading.Back, nil) // its banner too is to be what is so
		err = s.render(c, r.status, views.FailurePage(views.Failure{
			Frame: frame, Status: r.status,
			Heading: heading(r.status), Message: r.public, Problems: plainProblems(r.problems),
		}))
	}
	if err != nil {
		s.log.Debug("an answer could not be written", "error", err)
	}
}

// writeProblem answers as RFC 9457 has it.
func writeProblem(c echo.Context, r *refusal) error {
	body := struct {
		Type   string          `json:"type"`
		Title  string          `json:"title"`
		Status int             `json:"status"`
		Detail string          `json:"detail"`
		Errors []stack.Problem `json:"errors,omitempty"`
		Run    *stack.Report   `json:"run,omitempty"`
	}{"about:blank", heading(r.status), r.status, r.public, r.problems, r.run}
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.Blob(r.status, "application/problem+json", b)
}

func heading(status int) string {
	switch status {
	case http.StatusNotFound:
		return "Not found"
	case http.StatusUnprocessableEntity:
		return "Not accepted"
	case http.StatusPreconditionFailed:
		return "Changed meanwhile"
	case http.StatusConflict:
		return "Busy"
	case http.StatusBadGateway:
		return "The stack cannot be reached"
	case http.StatusServiceUnavailable:
		return "Not available now"
	}
	if text := http.StatusText(status); text != "" {
		return text
	}
	return "Not done"
}

// sentence makes an error that is meant for people start and end like a sentence.
func sentence(err error) string {
	text := strings.TrimSpace(err.Error())
	if text == "" {
		return ""
	}
	text = strings.ToUpper(text[:1]) + text[1:]
	if !strings.ContainsAny(text[len(text)-1:], ".!?") {
		text += "."
	}
	return text
}
