package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
)

func get(t *testing.T, url string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest("GET", url, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r io.Reader) []byte {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestHandler(t *testing.T) {
	t.Run("an asset is kept for good under the hash of its content", func(t *testing.T) {
		res := get(t, URL("app.css"))
		if res.StatusCode != 200 {
			t.Fatalf("status %d, want 200", res.StatusCode)
		}
		if got, want := res.Header.Get("Cache-Control"), "public, max-age=31536000, immutable"; got != want {
			t.Errorf("Cache-Control %q, want %q", got, want)
		}
		sum := sha256.Sum256(body(t, res.Body))
		if want := hex.EncodeToString(sum[:8]); !strings.Contains(URL("app.css"), want) {
			t.Errorf("URL %s does not have the content's hash %s", URL("app.css"), want)
		}
	})
	t.Run("each coding gives the same content", func(t *testing.T) {
		plain := body(t, get(t, URL("app.js")).Body)
		br := get(t, URL("app.js"), "Accept-Encoding", "gzip, deflate, br")
		if got := br.Header.Get("Content-Encoding"); got != "br" {
			t.Fatalf("Content-Encoding %q, want br", got)
		}
		if !bytes.Equal(body(t, brotli.NewReader(br.Body)), plain) {
			t.Error("brotli gives another script")
		}
		gz := get(t, URL("app.js"), "Accept-Encoding", "gzip, br;q=0")
		if got := gz.Header.Get("Content-Encoding"); got != "gzip" {
			t.Fatalf("Content-Encoding %q, want gzip", got)
		}
		zr, err := gzip.NewReader(gz.Body)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(body(t, zr), plain) {
			t.Error("gzip gives another script")
		}
	})
	t.Run("another hash is not found", func(t *testing.T) {
		if got := get(t, "/static/app.0123456789abcdef.css").StatusCode; got != 404 {
			t.Errorf("status %d, want 404", got)
		}
	})
	t.Run("a known ETag is answered without the content", func(t *testing.T) {
		tag := get(t, URL("app.css")).Header.Get("ETag")
		if got := get(t, URL("app.css"), "If-None-Match", tag).StatusCode; got != 304 {
			t.Errorf("status %d, want 304", got)
		}
	})
}

func TestAccepted(t *testing.T) {
	for header, want := range map[string]string{
		"": "", "gzip": "gzip", "gzip, br": "br", "br;q=0, gzip;q=0.5": "gzip", "identity": "", "GZIP;Q=1": "gzip", "br;q=x": "",
	} {
		if got := Accepted(header); got != want {
			t.Errorf("Accepted(%q) = %q, want %q", header, got, want)
		}
	}
}

// What a first page may weigh is 30 kB; the assets leave 7 kB of that to the page itself.
func TestAssetsStayLight(t *testing.T) {
	total := 0
	for name := range bundles {
		a := assets()[name]
		t.Logf("%s: %d bytes, %d with gzip, %d with brotli", name, len(a.body), len(a.gzip()), len(a.brotli()))
		switch weight := len(a.brotli()); {
		case strings.HasPrefix(name, "app."):
			total += weight
		case weight > 5<<10:
			t.Errorf("%s, of one page alone, weighs %d bytes with brotli, want at most 5 kB", name, weight)
		}
	}
	if const23k := 23 << 10; total > const23k {
		t.Errorf("the assets weigh %d bytes with brotli, want at most %d", total, const23k)
	}
}

func TestVendoredFilesAreAsRecorded(t *testing.T) {
	record, err := os.ReadFile("VENDORED.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `([^`]+)` .*`([0-9a-f]{64})` \\|$").FindAllStringSubmatch(string(record), -1)
	if len(rows) != 3 {
		t.Fatalf("%d files recorded in VENDORED.md, want 3", len(rows))
	}
	for _, row := range rows {
		b, err := os.ReadFile(path.Clean(row[1]))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(b)
		if got := hex.EncodeToString(sum[:]); got != row[2] {
			t.Errorf("%s has SHA-256 %s, VENDORED.md says %s", row[1], got, row[2])
		}
	}
}
