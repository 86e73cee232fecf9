package handlers

import (
	"bufio"
	"compress/gzip"
	"context"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"pitstop/schedule"
	"pitstop/stack"
	"pitstop/static"
)

func TestWhoMayAsk(t *testing.T) {
	p := newPanel(t)
	t.Run("a host that is not the panel's gets nothing, whatever it asks for", func(t *testing.T) {
		for _, path := range []string{"/", "/api/v1/config", "/healthz", "/nowhere", static.URL("app.js")} {
			a := p.get(path, "Host", "evil.example").want(t, http.StatusMisdirectedRequest)
			if strings.Contains(a.body, "<html") || strings.Contains(a.body, "risk") {
				t.Errorf("%s gave a page to a foreign host", path)
			}
		}
	})
	t.Run("the panel's own names are answered, with and without a port", func(t *testing.T) {
		for _, host := range []string{"localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:8080", "panel.lan", "panel.lan:443"} {
			p.get("/healthz", "Host", host).want(t, 200)
		}
	})
	t.Run("a page of another origin changes nothing", func(t *testing.T) {
		halt := url.Values{"mode": {"halted"}}
		p.post("/trading", halt, "Sec-Fetch-Site", "cross-site").want(t, 403)
		p.post("/trading", halt, "Origin", "https://evil.example").want(t, 403)
		form := p.form()
		form.Set("risk.max_order_usd", "1")
		p.post("/config/run", form, "Sec-Fetch-Site", "same-site").want(t, 403)
		p.do("PUT", "/api/v1/trading", `{"mode":"halted"}`, "Content-Type", "application/json", "Origin", "null").want(t, 403)
		if got := p.gate.State().Mode; got != schedule.FollowSchedule {
			t.Errorf("the gate is %q, want %q", got, schedule.FollowSchedule)
		}
		p.wantFile(document)
	})
	t.Run("a body that is too large is refused before it is read", func(t *testing.T) {
		p.do("PUT", "/api/v1/trading", `{"reason":"`+strings.Repeat("x", maxSmall)+`"}`, "Content-Type", "application/json").want(t, 413)
		p.do("PUT", "/api/v1/config", strings.Repeat("#", maxDocument+1), "Content-Type", "application/toml").want(t, 413)
	})
	t.Run("no way leads back to another site", func(t *testing.T) {
		a := p.post("/trading", url.Values{"mode": {"schedule"}, "back": {"//evil.example/"}}).want(t, 303)
		if got := a.Header.Get("Location"); got != "/" {
			t.Errorf("redirected to %q, want /", got)
		}
	})
}

func TestPagesAreStrict(t *testing.T) {
	p := newPanel(t)
	var pages []answer
	form := p.form()
	form.Set("risk.max_order_usd", `"><script>alert(1)</script>`)
	pages = append(pages, p.get("/").want(t, 200), p.get("/config").want(t, 200), p.get("/nowhere").want(t, 404), p.post("/config/run", form).want(t, 422))
	for _, a := range pages {
		t.Run(a.Request.URL.Path, func(t *testing.T) {
			csp := a.Header.Get("Content-Security-Policy")
			if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
				t.Errorf("Content-Security-Policy %q", csp)
			}
			for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cache-Control": "no-store"} {
				if got := a.Header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			// What the policy would block must not be there to begin with.
			for what, pattern := range map[string]string{
				"an inline style": `\sstyle=`, "an inline handler": `\son[a-z]+=`, "an inline script": `<script[^>]*>[^<]`,
				"a style element": `<style`, "a foreign address": `(src|href)="(https?:)?//`, "htmx code in an attribute": `hx-on|hx-vals="js:`,
			} {
				if found := regexp.MustCompile(pattern).FindString(a.body); found != "" {
					t.Errorf("the page has %s: %s", what, found)
				}
			}
		})
	}
}

// TestPagesAreLight counts every byte that comes over the wire for a page that a browser has not seen:
// headers, assets, and the stream's first event too.
func TestPagesAreLight(t *testing.T) {
	p := newPanel(t)
	for _, c := range []struct {
		path, coding string
		most         int64
		requests     int
	}{
		{"/", "gzip, br", 28_000, 4}, // on loopback and over TLS
		{"/", "gzip", 30_500, 4},     // what browsers take over plain HTTP
		{"/config", "gzip, br", 33_000, 5},
		{"/schedule", "gzip, br", 33_000, 7},
		{"/history", "gzip, br", 33_000, 5},
	} {
		var read atomic.Int64
		client := &http.Client{Transport: &http.Transport{
			DisableCompression: true,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
				return countedConn{conn, &read}, err
			},
		}}
		get := func(path string) *http.Response {
			r, err := http.NewRequestWithContext(t.Context(), "GET", p.url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Accept-Encoding", c.coding)
			a, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			if a.StatusCode != 200 {
				t.Fatalf("GET %s: %s", path, a.Status)
			}
			return a
		}
		plain := p.get(c.path).body
		paths := []string{c.path}
		for _, m := range regexp.MustCompile(`(?:href|src)="(/static/[^"]+)"`).FindAllStringSubmatch(plain, -1) {
			paths = append(paths, m[1])
		}
		for _, path := range paths {
			a := get(path)
			if a.Header.Get("Content-Encoding") == "" {
				t.Errorf("%s is not compressed", path)
			}
			if _, err := io.Copy(io.Discard, a.Body); err != nil {
				t.Fatal(err)
			}
			a.Body.Close()
		}
		m := regexp.MustCompile(`hx-sse:connect="([^"]+)"`).FindStringSubmatch(plain)
		if m == nil {
			t.Fatalf("%s has no stream", c.path)
		}
		stream := get(html.UnescapeString(m[1]))
		text, err := gzip.NewReader(stream.Body)
		if err != nil {
			t.Fatalf("the stream of %s is not compressed: %v", c.path, err)
		}
		for lines, data := bufio.NewReader(text), false; ; {
			line, err := lines.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			data = data || strings.HasPrefix(line, "data:")
			if line == "\n" && data {
				break
			}
		}
		stream.Body.Close()
		client.CloseIdleConnections()
		t.Logf("%s with %s: %d bytes in %d requests", c.path, c.coding, read.Load(), len(paths)+1)
		if got := read.Load(); got > c.most {
			t.Errorf("%s with %s weighs %d bytes, want at most %d", c.path, c.coding, got, c.most)
		}
		if got := len(paths) + 1; got > c.requests {
			t.Errorf("%s needs %d requests, want at most %d", c.path, got, c.requests)
		}
	}
}

// countedConn counts what comes in.
type countedConn struct {
	net.Conn
	read *atomic.Int64
}

func (c countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.read.Add(int64(n))
	return n, err
}

func TestNoAnswerHoldsASecret(t *testing.T) {
	p := newPanel(t)
	form := p.form()
	form.Set("risk.max_order_usd", "900")
	p.post("/config/run", form).want(t, 303)
	r := p.ended()
	if r.Outcome != stack.Applied {
		t.Fatalf("outcome %q (%s), want applied", r.Outcome, r.Message)
	}
	// do looks for the secret in every answer.
	for _, path := range []string{
		"/", "/config", "/config?run=" + r.ID, "/api/v1/status", "/api/v1/config", "/api/v1/runs", "/api/v1/runs/" + r.ID,
		"/api/v1/runs/" + r.ID + "/events", "/api/v1/backups", "/api/v1/backups/" + r.Backup,
	} {
		p.get(path).want(t, 200)
	}
	p.get("/api/v1/config", "Accept", "application/json").want(t, 200).has(t, "********")
	form = p.form()
	form.Set("broker.api_key", secret) // typed again, and then something is wrong elsewhere
	form.Set("risk.max_order_usd", "x")
	p.post("/config/run", form).want(t, 422)
}
