// Package static holds what the pages load: one stylesheet and one script, and what a few pages load
// beside them. Each is named by its own content, so that a browser may keep it for good, and each is
// compressed once.
package static

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/tdewolff/minify/v2"
	"github.com/tdewolff/minify/v2/css"
	"github.com/tdewolff/minify/v2/js"
)

//go:embed vendor/*.js vendor/*.css css js
var files embed.FS

//go:embed icon.svg
var icon string

// Icon is the panel's icon as an address that needs no request. Only what would end the address or its
// attribute is escaped: it is in every page.
func Icon() string {
	escape := strings.NewReplacer(`"`, "%22", "#", "%23", "<", "%3C", ">", "%3E")
	return "data:image/svg+xml," + escape.Replace(strings.TrimSpace(icon))
}

// bundles are the files behind each name, in the order in which they are joined: a page needs one
// request for its style and one for its script.
var bundles = map[string][]string{
	"app.css": {"vendor/pico-base.min.css", "css/frame.css", "css/parts.css", "css/later.css"},
	"app.js":  {"vendor/htmx.min.js", "vendor/hx-sse.min.js", "js/app.js"},
	// Of a run, where one is shown.
	"run.css": {"css/run.css"},
	// Of the pages with a form, and of the queued change.
	"form.css": {"css/form.css", "css/queue.css"},
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

// minifier takes out what a browser does not need.
var minifier = sync.OnceValue(func() *minify.M {
	m := minify.New()
	m.Add("css", &css.Minifier{})
	m.Add("js", &js.Minifier{})
	return m
})

// lighter is a part of a bundle as it is sent. The scripts of others come minified, and stay as they are.
func lighter(part string, b []byte) ([]byte, error) {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	switch path.Ext(part) {
	case ".css":
		return minifier().Bytes("css", b)
	case ".js":
		if strings.HasPrefix(part, "vendor/") {
			return b, nil
		}
		return minifier().Bytes("js", b)
	}
	return b, nil
}

func build(name string, parts []string) (*asset, error) {
	var body bytes.Buffer
	for _, part := range parts {
		b, err := files.ReadFile(part)
		if err != nil {
			return nil, err
		}
		if b, err = lighter(part, b); err != nil {
			return nil, fmt.Errorf("%s: %w", part, err)
		}
		body.Write(b)
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
