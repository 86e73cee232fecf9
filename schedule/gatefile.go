package schedule

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"pitstop/stack/durable"
)

// gateFile is a GateState on disk, and what is known of it. A Gate's lock guards it.
type gateFile struct {
	path    string
	content GateState   // as last written or read
	bytes   []byte      // likewise; nil: not known
	info    fs.FileInfo // of the file when bytes was what it held; nil: not known
}

// gateMode lets services under other users read the gate.
const gateMode = 0o644

// read is the file's state; no file is no error.
func (f *gateFile) read() (state GateState, found bool, err error) {
	content, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return GateState{}, false, nil
	}
	if err != nil {
		return GateState{}, false, err
	}
	if state, err = decodeGate(content); err != nil {
		return GateState{}, true, err
	}
	f.content, f.bytes = state, content
	f.info, _ = os.Stat(f.path)
	return state, true, nil
}

// write replaces the file, atomically and durably.
func (f *gateFile) write(state GateState) error {
	content, err := state.encode()
	if err != nil {
		return err
	}
	if err := durable.WriteFile(f.path, content, gateMode); err != nil {
		f.info = nil
		return err
	}
	f.remember(state, content)
	return nil
}

// writeAnyhow is write for a state that must get through: where there is no room for a second file,
// the old one is overwritten. Who reads it half written cannot understand it, and does not trade.
func (f *gateFile) writeAnyhow(state GateState) error {
	err := f.write(state)
	if err == nil {
		return nil
	}
	content, encodeErr := state.encode()
	if encodeErr != nil || os.WriteFile(f.path, content, gateMode) != nil {
		return err
	}
	f.remember(state, content)
	return nil
}

// setAside keeps what the file holds under another name, and says where. The file stays meanwhile, or a
// service would find none and go by its own schedule; and who still writes into it writes there.
func (f *gateFile) setAside() (kept string, err error) {
	aside := f.path + ".bad"
	if err := os.Remove(aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if err := os.Link(f.path, aside); err != nil { // the file system may have no hard links
		content, readErr := os.ReadFile(f.path)
		if readErr != nil {
			return "", readErr
		}
		if err := durable.WriteFile(aside, content, gateMode); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("It is kept as %s.", aside), nil
}

func (f *gateFile) remember(state GateState, content []byte) {
	f.content, f.bytes = state, content
	f.info, _ = os.Stat(f.path)
}

// settled reports whether the file is the one last written. Only its entry is looked at.
func (f *gateFile) settled() bool {
	if f.info == nil {
		return false
	}
	now, err := os.Stat(f.path)
	return err == nil && os.SameFile(now, f.info) && now.Size() == f.info.Size() && now.ModTime().Equal(f.info.ModTime())
}

// byOthers reads the file if somebody else wrote it: nil if nobody did. An error is one of decodeGate: they
// may not have written all of it yet.
func (f *gateFile) byOthers() (*GateState, error) {
	if f.info == nil || f.settled() {
		return nil, nil
	}
	content, err := os.ReadFile(f.path)
	if err != nil || bytes.Equal(content, f.bytes) {
		return nil, nil
	}
	state, err := decodeGate(content)
	return &state, err
}

// touch sets the time of modification, without any wait for the disk. What somebody else has written at
// this very moment is not taken for the file's own content: byOthers finds it at the next look.
func (f *gateFile) touch(now time.Time) error {
	if err := os.Chtimes(f.path, time.Time{}, now); err != nil {
		return err
	}
	info, err := os.Stat(f.path)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(f.path)
	if err == nil && bytes.Equal(content, f.bytes) {
		f.info = info
	}
	return err
}
