package docker

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"pitstop/stack"
	"pitstop/stack/docker/dockertest"
)

// askInItsTime and answerInItsTime make the real engine one whose clock is behind.
func (d *door) askInItsTime(r *http.Request) {
	q := r.URL.Query()
	var seconds, nanos int64
	if n, _ := fmt.Sscanf(q.Get("since"), "%d.%d", &seconds, &nanos); d.behind != 0 && n == 2 && strings.HasSuffix(r.URL.Path, "/logs") {
		q.Set("since", sinceParameter(time.Unix(seconds, nanos).Add(d.behind)))
		r.URL.RawQuery = q.Encode()
	}
}

func (d *door) answerInItsTime(r *http.Response) error {
	switch path := r.Request.URL.Path; {
	case d.behind == 0 || r.StatusCode != http.StatusOK:
	case strings.HasSuffix(path, "/info"):
		var info map[string]any
		if err := json.NewDecoder(r.Body).Decode(&info); err != nil {
			return err
		}
		at, err := time.Parse(time.RFC3339Nano, info["SystemTime"].(string))
		if err != nil {
			return err
		}
		info["SystemTime"] = at.Add(-d.behind).Format(time.RFC3339Nano)
		text, err := json.Marshal(info)
		if err != nil {
			return err
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
		r.Header.Set("Content-Length", fmt.Sprint(len(text)))
	case strings.HasSuffix(path, "/logs"):
		body := r.Body
		out, in := io.Pipe()
		go func() { in.CloseWithError(d.stampInItsTime(in, body)) }()
		r.Body = struct {
			io.Reader
			io.Closer
		}{out, body}
	}
	return nil
}

// stampInItsTime copies the frames of a log.
func (d *door) stampInItsTime(w io.Writer, r io.Reader) error {
	for header := make([]byte, 8); ; {
		if _, err := io.ReadFull(r, header); err != nil {
			return err
		}
		frame := make([]byte, binary.BigEndian.Uint32(header[4:]))
		if _, err := io.ReadFull(r, frame); err != nil {
			return err
		}
		at, text := cutTime(frame)
		frame = fmt.Appendf(nil, "%s %s", at.Add(-d.behind).Format(time.RFC3339Nano), text)
		binary.BigEndian.PutUint32(header[4:], uint32(len(frame)))
		if _, err := w.Write(append(header, frame...)); err != nil {
			return err
		}
	}
}

// An engine on another machine may have another time. Whoever follows a log knows only that of this one.
func TestTheEnginesClockIsAnother(t *testing.T) {
	e := dockertest.New(t)
	c := e.Run(dockertest.Spec{
		Name: "one", Labels: labels(e, "one"),
		Cmd: []string{"sh", "-c", "echo early; while :; do if [ -e /go ]; then rm /go; echo late; fi; sleep 0.05; done"},
	})
	c.WaitLog("early")
	time.Sleep(time.Second) // longer than the engine takes to tell its time
	for _, behind := range []time.Duration{0, 5 * time.Second, -5 * time.Second, time.Hour} {
		t.Run(fmt.Sprintf("%v behind", behind), func(t *testing.T) {
			d := newDoor(t, e)
			d.behind = behind
			d.open()
			b := newBackend(t, Options{Host: d.host(), Services: []stack.Service{app(e, "one")}})
			i := only(t, b)
			since := time.Now()
			var told sync.WaitGroup
			defer told.Wait()
			told.Go(func() { c.Exec("touch", "/go") })
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			for line, err := range b.Logs(ctx, i, since) {
				if err != nil {
					t.Fatal(err)
				}
				if line.Text != "late" {
					t.Errorf("got %q of %v, from before %v", line.Text, line.Time, since)
					continue
				}
				if off := time.Since(line.Time); off < -time.Second || off > 10*time.Second {
					t.Errorf("the line is from %v, which is %v ago", line.Time, off)
				}
				break
			}
			if ctx.Err() != nil {
				t.Error("the line never came")
			}
		})
	}
}
