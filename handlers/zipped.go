package handlers

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
)

// zipped is a gzip stream of which each write is compressed by itself and sent at once. Between two it
// holds nothing: what compresses is borrowed.
type zipped struct {
	to        io.Writer
	begun     bool
	sum, size uint32
}

var deflaters = sync.Pool{New: func() any {
	w, err := flate.NewWriter(io.Discard, flate.BestCompression)
	if err != nil {
		panic(err) // there is such a level
	}
	return w
}}

func (z *zipped) Write(p []byte) (int, error) {
	if !z.begun {
		z.begun = true
		if _, err := z.to.Write([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}); err != nil {
			return 0, err
		}
	}
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	w.Reset(z.to)
	n, err := w.Write(p)
	z.sum, z.size = crc32.Update(z.sum, crc32.IEEETable, p[:n]), z.size+uint32(n)
	if err != nil {
		return n, err
	}
	return n, w.Flush() // to a whole byte, where the next may begin
}

// Close writes the end, which is an empty last block and what the whole has to come to.
func (z *zipped) Close() error {
	end := []byte{1, 0, 0, 0xff, 0xff}
	end = binary.LittleEndian.AppendUint32(end, z.sum)
	_, err := z.to.Write(binary.LittleEndian.AppendUint32(end, z.size))
	return err
}
