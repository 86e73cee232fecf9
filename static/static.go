// Package static holds what the pages load: one stylesheet, one script, one icon. Each is named by
// its own content, so that a browser may keep it for good, and each is compressed once.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
)

//go:embed vendor/*.js vendor/*.css css js icon.svg
var files embed.FS

// bundles are the files behind each name, in the order in which they are joined: a page needs one
// request for its style and one for its script.
var bundles = map[string][]string{
	"app.css":  {"vendor/pico-base.min.css", "css/frame.css", "css/parts.css", "css/form.css", "css/run.css", "css/later.css"},
	"app.js":   {"vendor/htmx.min.js", "vendor/hx-sse.min.js", "js/app.js"},
	"icon.svg": {"icon.svg"},
	// Of the schedule's page alone.
	"schedule.css": {"css/schedule.css"},
	"schedule.js":  {"js/schedule.js"},
	// Of the config page, once something is typed there.
	"editor.css": {"css/editor.css"},
	"editor.js":  {"js/editor.js"},
	// Of the history's pages alone.
	"history.css": {"css/history.css"},
}

// Prefix is where Handler expects to be mounted.
const Prefix = "/static/"

type asset struct {
	url, mime string
	body      []byte
	etag      string
	// Compressed when first asked for: the best brotli takes a tenth of a second.
	gzip, brotli func() []byte
}

var assets = sync.OnceValue(func() map[string]*asset {
	all := make(map[string]*asset, len(bundles))
	for name, parts := range bundles {
		a, err := build(name, parts)
		if err != nil {
			panic(fmt.Sprintf("static: %s cannot be built from the embedded files: %v", name, err))
		}
		all[name] = a
	}
	return all
})

var (
	sourceMap  = regexp.MustCompile(`(?m)^//# sourceMappingURL=.*$`)
	cssComment = regexp.MustCompile(`(?s)/\*.*?\*/`)
	jsComment  = regexp.MustCompile(`(?m)^\s*//.*\n`)
	indent     = regexp.MustCompile(`(?m)^[ \t]+|\n+$`)
)

// lighter leaves out what a browser does not read. Our own files keep their comments on lines of
// their own and have no text that goes over several lines, so that this is safe.
func lighter(part string, b []byte) []byte {
	b = sourceMap.ReplaceAll(bytes.TrimPrefix(b, []byte("\ufeff")), nil)
	switch {
	case strings.HasPrefix(part, "css/"):
		b = cssComment.ReplaceAll(b, nil)
	case strings.HasPrefix(part, "js/"):
		b = jsComment.ReplaceAll(b, nil)
	default:
		return b
	}
	return indent.ReplaceAll(b, nil)
}

func build(name string, parts []string) (*asset, error) {
	var body bytes.Buffer
	for _, part := range parts {
		b, err := files.ReadFile(part)
		if err != nil {
			return nil, err
		}
		body.Write(lighter(part, b))
		body.WriteByte('\n')
	}
	content := body.Bytes()
	sum := sha256.Sum256(content)
	hash := hex.EncodeToString(sum[:8])
	ext := path.Ext(name)
	return &asset{
		url:    Prefix + strings.TrimSuffix(name, ext) + "." + hash + ext,
		mime:   mime.TypeByExtension(ext),
		body:   content,
		etag:   `"` + hash + `"`,
		gzip:   sync.OnceValue(func() []byte { return Gzip(content, gzip.BestCompression) }),
		brotli: sync.OnceValue(func() []byte { return Brotli(content, brotli.BestCompression) }),
	}, nil
}

// URL is the address of an asset ("app.css"), with the hash of its content in it. An unknown name
// is a mistake in the program and panics.
func URL(name string) string {
	a, ok := assets()[name]
	if !ok {
		panic("static: there is no asset " + name)
	}
	return a.url
}

// Handler serves the assets below Prefix: only under their present hash, to be kept for good.
func Handler() http.Handler {
	byURL := make(map[string]*asset)
	for _, a := range assets() {
		byURL[a.url] = a
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, ok := byURL[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", a.mime)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("ETag", a.etag)
		h.Set("Vary", "Accept-Encoding")
		if r.Header.Get("If-None-Match") == a.etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		body := a.body
		switch coding := Accepted(r.Header.Get("Accept-Encoding")); coding {
		case "br":
			body = a.brotli()
			h.Set("Content-Encoding", coding)
		case "gzip":
			body = a.gzip()
			h.Set("Content-Encoding", coding)
		}
		h.Set("Content-Length", strconv.Itoa(len(body)))
		if r.Method != http.MethodHead {
			_, _ = w.Write(body) // a browser that went away needs no asset
		}
	})
}
