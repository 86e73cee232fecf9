package handlers

import (
	"bytes"
	"net/http"
	"strconv"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"pitstop/static"
)

// render draws a page whole before its status is written: a page that cannot be drawn is an error,
// not half a page with a 200.
func (s *Server) render(c echo.Context, status int, page templ.Component) error {
	var buf bytes.Buffer
	if err := page.Render(c.Request().Context(), &buf); err != nil {
		return err
	}
	return write(c, status, "text/html; charset=utf-8", buf.Bytes())
}

// Levels at which a page of 30 kB is compressed in about a millisecond.
const (
	brotliLevel = 5
	gzipLevel   = 6
	// Less is not worth it: it fits into the first packet anyway.
	compressFrom = 1024
)

// write sends a body in the best coding that the client takes.
func write(c echo.Context, status int, mime string, body []byte) error {
	h := c.Response().Header()
	h.Set("Content-Type", mime)
	h.Add("Vary", "Accept-Encoding")
	if len(body) >= compressFrom {
		switch coding := static.Accepted(c.Request().Header.Get("Accept-Encoding")); coding {
		case "br":
			body = static.Brotli(body, brotliLevel)
			h.Set("Content-Encoding", coding)
		case "gzip":
			body = static.Gzip(body, gzipLevel)
			h.Set("Content-Encoding", coding)
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	c.Response().WriteHeader(status)
	if c.Request().Method == http.MethodHead {
		return nil
	}
	_, err := c.Response().Write(body)
	return err
}
