package handlers

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"
)

func TestAZippedStreamCanBeReadAfterEachWrite(t *testing.T) {
	var sent bytes.Buffer
	z := &zipped{to: &sent}
	want := ""
	for _, text := range []string{": pitstop\n\n", strings.Repeat("data: <p>a window</p>\n", 4000), "x", "event: beat\ndata: \n\n"} {
		if _, err := io.WriteString(z, text); err != nil {
			t.Fatal(err)
		}
		want += text
		r, err := gzip.NewReader(bytes.NewReader(sent.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(want))
		if _, err := io.ReadFull(r, got); err != nil || string(got) != want {
			t.Fatalf("after %d bytes: %v", len(want), err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(&sent)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || string(got) != want {
		t.Errorf("as a whole it is %d bytes (%v), want %d", len(got), err, len(want))
	}
}
