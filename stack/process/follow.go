package process

import (
	"bytes"
	"context"
	"time"

	"pitstop/stack"
)

// glance is how often a follower looks at the file by itself, where no event of the file system
// tells it to.
const glance = 100 * time.Millisecond

// follow yields the lines written since then, until the context ends, the writer has ended, or the
// caller has enough.
func (o *output) follow(ctx context.Context, since time.Time, ended func() bool, yield func(stack.LogLine, error) bool) {
	tick := time.NewTicker(glance)
	defer tick.Stop()
	o.look()
	at := o.lineStart(o.writtenBefore(since))
	var line []byte // what is there of the line that is not whole yet
	emit := func(text []byte, end int64) bool {
		stamp := o.writtenAt(end)
		return stamp.Before(since) || yield(stack.LogLine{Time: stamp, Text: string(bytes.TrimSuffix(text, []byte("\r")))}, nil)
	}
	buffer := make([]byte, 32<<10)
	for ctx.Err() == nil {
		over := ended() // asked before looking: what the writer wrote last is then seen
		grown := o.look()
		for ctx.Err() == nil {
			n, from, err := o.read(buffer, at)
			if err != nil {
				yield(stack.LogLine{}, err)
				return
			}
			if n == 0 {
				break
			}
			if from != at {
				line = nil // its beginning was shortened away
			}
			chunk := buffer[:n]
			at = from
			for len(chunk) > 0 {
				length := bytes.IndexByte(chunk, '\n')
				if length < 0 {
					line = append(line, chunk...)
					at += int64(len(chunk))
					chunk = nil
					if len(line) < longestLine {
						break
					}
				} else {
					line = append(line, chunk[:length]...)
					at += int64(length) + 1
					chunk = chunk[length+1:]
				}
				if !emit(line, at) {
					return
				}
				line = line[:0]
			}
		}
		if over {
			if len(line) > 0 && ctx.Err() == nil {
				emit(line, at)
			}
			return
		}
		select {
		case <-ctx.Done():
		case <-grown:
		case <-tick.C:
		}
	}
}

// lineStart is where the line begins that the byte at this offset belongs to, if it is not unusually
// long.
func (o *output) lineStart(offset int64) int64 {
	buffer := make([]byte, 64<<10)
	from := max(0, offset-int64(len(buffer)))
	n, from, err := o.read(buffer[:offset-from], from)
	if err != nil || from > offset {
		return offset
	}
	if i := bytes.LastIndexByte(buffer[:min(int64(n), offset-from)], '\n'); i >= 0 {
		return from + int64(i) + 1
	}
	if from == 0 {
		return 0
	}
	return offset
}
