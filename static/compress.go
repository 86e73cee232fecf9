package static

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
)

// Accepted picks the content coding for an Accept-Encoding header: "br", "gzip", or "" for none.
func Accepted(header string) string {
	switch br, gz := accepts(header); {
	case br:
		return "br"
	case gz:
		return "gzip"
	}
	return ""
}

// AcceptsGzip tells whether gzip is taken, whatever else is.
func AcceptsGzip(header string) bool {
	_, gz := accepts(header)
	return gz
}

// accepts reads an Accept-Encoding header. A coding with q=0 is one that the client refuses.
func accepts(header string) (br, gz bool) {
	for part := range strings.SplitSeq(header, ",") {
		coding, params, _ := strings.Cut(part, ";")
		if q, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			if v, err := strconv.ParseFloat(q, 64); err != nil || v == 0 {
				continue
			}
		}
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "br":
			br = true
		case "gzip":
			gz = true
		}
	}
	return br, gz
}

// Gzip compresses b at this level. Writing to memory cannot fail.
func Gzip(b []byte, level int) []byte {
	var buf bytes.Buffer
	w, err := gzip.NewWriterLevel(&buf, level)
	if err != nil {
		panic(err) // the level is a constant of this program
	}
	_, _ = w.Write(b)
	_ = w.Close()
	return buf.Bytes()
}

// Brotli compresses b at this level. Writing to memory cannot fail.
func Brotli(b []byte, level int) []byte {
	var buf bytes.Buffer
	w := brotli.NewWriterLevel(&buf, level)
	_, _ = w.Write(b)
	_ = w.Close()
	return buf.Bytes()
}
