package handlers

import (
	"context"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"pitstop/static"
)

// policy lets a page load what this panel serves and nothing else, and run no script that is not in
// a file of its own. The images in the stylesheet are data URLs.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// ofPages are headers of answers that may be a page.
var ofPages = map[string]string{
	"Content-Security-Policy":    policy,
	"X-Frame-Options":            "DENY",
	"Referrer-Policy":            "same-origin",
	"Cross-Origin-Opener-Policy": "same-origin",
	"Permissions-Policy":         "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

// allowedHosts are the names that a request may ask for. A page of another site can make a browser
// send requests here by letting its own name resolve to this address; its Host header gives it away.
func allowedHosts(further []string) map[string]bool {
	hosts := map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true}
	for _, h := range further {
		if h != "" && h != "0.0.0.0" && h != "::" {
			hosts[strings.ToLower(hostName(h))] = true
		}
	}
	return hosts
}

// hostName is a Host header without its port and brackets.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}

// guard stands before the router. It sets the headers that every answer has, refuses hosts that are
// not this panel's, and requests that a page of another origin sent.
func (s *Server) guard(next echo.HandlerFunc) echo.HandlerFunc {
	origin := http.NewCrossOriginProtection()
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if !strings.HasPrefix(c.Request().URL.Path, static.Prefix) { // the rest is for what may be a page
			for name, value := range ofPages {
				h.Set(name, value)
			}
			h.Set("Cache-Control", "no-store")
		}

		if name := strings.ToLower(hostName(c.Request().Host)); !s.hosts[name] {
			return refuse(http.StatusMisdirectedRequest,
				"This panel does not answer to that name. If the name is its own, add it to allowed_hosts in pitstop.toml.")
		}
		if err := origin.Check(c.Request()); err != nil {
			return refuse(http.StatusForbidden,
				"This request came from a page of another site, and nothing was done. Use the panel's own pages, or a script that sends no Origin header.").because(err)
		}
		return next(c)
	}
}

// headAsGet answers HEAD by what answers GET; the server leaves the body out. A stream, of which
// nothing but the headers would ever be seen, ends after its first write.
func headAsGet(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		get := r.Clone(ctx) // the server keeps the request that says HEAD
		get.Method = http.MethodGet
		next.ServeHTTP(headWriter{w, cancel}, get)
	})
}

type headWriter struct {
	http.ResponseWriter
	written context.CancelFunc
}

func (w headWriter) Write(b []byte) (int, error) {
	defer w.written()
	return w.ResponseWriter.Write(b)
}

func (w headWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// bodyPatience is how long the next bytes of a request's body may take. The time that a run takes
// after the body does not count.
const bodyPatience = 30 * time.Second

// drained is how many times the limit is read, to be thrown away, before a larger body is refused.
const drained = 4

// limit bounds the body of a request, in bytes and in the time between them.
func limit(bytes int64) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			body := patient{r.Body, http.NewResponseController(c.Response()), bodyPatience}
			if r.ContentLength > bytes {
				// A browser that cannot send to the end shows an error of its own in place of the answer.
				_, _ = io.CopyN(io.Discard, body, min(r.ContentLength, drained*bytes))
				return &http.MaxBytesError{Limit: bytes}
			}
			r.Body = http.MaxBytesReader(c.Response(), body, bytes)
			return next(c)
		}
	}
}

// patient is a body whose reader does not wait for ever.
type patient struct {
	io.ReadCloser
	rc       *http.ResponseController
	patience time.Duration
}

func (p patient) Read(b []byte) (int, error) {
	// Where there are no deadlines, as in a test without a connection, there is no waiting either.
	_ = p.rc.SetReadDeadline(time.Now().Add(p.patience))
	n, err := p.ReadCloser.Read(b)
	if err == nil || errors.Is(err, io.EOF) {
		_ = p.rc.SetReadDeadline(time.Time{})
	} // else it stands, so that the server does not wait for the rest before it answers
	return n, err
}

// requireType refuses a body of another media type.
func requireType(c echo.Context, types ...string) error {
	got, _, err := mime.ParseMediaType(c.Request().Header.Get("Content-Type"))
	for _, t := range types {
		if err == nil && got == t {
			return nil
		}
	}
	return refuse(http.StatusUnsupportedMediaType, "The body must be of the type "+strings.Join(types, " or ")+".")
}

// readForm parses a posted form, from the body alone.
func readForm(c echo.Context) error {
	if err := requireType(c, "application/x-www-form-urlencoded"); err != nil {
		return err
	}
	if err := c.Request().ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return err
		}
		return refuse(http.StatusBadRequest, "The form could not be read: it is not in the notation of a web form.").because(err)
	}
	return nil
}

// by says who asks, for the history: until there is sign-in, the address.
func by(c echo.Context) string {
	host, _, err := net.SplitHostPort(c.Request().RemoteAddr)
	if err != nil {
		return c.Request().RemoteAddr
	}
	return host
}
