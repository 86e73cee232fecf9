package durable

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Append adds one line, which must not contain a line end, to a file of lines and syncs it. A last
// line that an earlier crash left without its end is ended first, so that it spoils only itself.
// When the line cannot be written whole and synced, what was written of it is taken back.
func Append(path string, line []byte, perm fs.FileMode) (err error) {
	if bytes.IndexByte(line, '\n') >= 0 {
		return fmt.Errorf("appending to %s: the line contains a line end", path)
	}
	_, statErr := os.Lstat(path)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, perm)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	data := make([]byte, 0, len(line)+2)
	if size > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, size-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			data = append(data, '\n')
		}
	}
	data = append(append(data, line...), '\n')
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err != nil { // who tries again must not find the line there
		return errors.Join(fmt.Errorf("appending to %s: %w", path, err), f.Truncate(size))
	}
	if errors.Is(statErr, fs.ErrNotExist) {
		return SyncDir(filepath.Dir(path))
	}
	return nil
}
