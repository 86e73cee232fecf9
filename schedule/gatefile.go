package schedule

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"pitstop/stack/durable"
)

// gateFile is a GateState on disk, and what is known of it. A Gate's locks guard it.
type gateFile struct {
	path    string
	shared  bool                     // others write into it too
	disk    func(func() error) error // what waits for the disk goes through it, in tests; nil: it does not
	content GateState                // as last written or read
	bytes   []byte                   // likewise; nil: not known
	info    fs.FileInfo              // of the file when bytes was what it held; nil: not known
	synced  bool                     // and that is on the disk
	placed  int                      // how often it was written
}

// gateMode lets services under other users read the gate.
const gateMode = 0o644

// errTheirs means that a file was left as it is, for somebody else has written into it: a halt, or what
// cannot be understood (yet). byOthers finds it.
var errTheirs = errors.New("somebody else has written it at this very moment")

// read is the file's state; no file is no error.
func (f *gateFile) read() (state GateState, found bool, err error) {
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return GateState{}, false, nil
	}
	if err != nil {
		return GateState{}, false, err
	}
	defer file.Close()
	info, err := file.Stat() // before its content: what is written in between is seen to be
	if err != nil {
		return GateState{}, false, err
	}
	content, err := io.ReadAll(file)
	if err != nil {
		return GateState{}, false, err
	}
	if state, err = decodeGate(content); err != nil {
		return GateState{}, true, err
	}
	f.content, f.bytes, f.info, f.synced = state, content, info, true
	return state, true, nil
}

// draft is what a file is to become.
type draft struct {
	*durable.Staged
	state   GateState
	content []byte
	info    fs.FileInfo
}

func (f *gateFile) draft(state GateState) (*draft, error) {
	content, err := state.encode()
	if err != nil {
		return nil, err
	}
	staged, err := durable.Stage(f.path, content, gateMode, nil)
	if err != nil {
		return nil, err
	}
	info, err := staged.Stat() // not of the path, where somebody else's may be by then
	if err != nil {
		staged.Discard()
		return nil, err
	}
	return &draft{staged, state, content, info}, nil
}

// write replaces the file, atomically and durably: whoever sees the new one sees it after a power cut too.
// Where the error wraps errTheirs it is as it was.
func (f *gateFile) write(state GateState) error {
	d, err := f.draft(state)
	if err == nil {
		defer d.Discard()
		err = f.wait(d.Sync)
	}
	if err == nil {
		err = f.place(d)
	}
	if err == nil {
		err = f.wait(f.syncEntry)
	}
	f.kept(f.placed, err)
	return err
}

// put replaces the file, atomically, before it is on the disk: for what disables trading. What a power cut
// leaves of it cannot be understood, which disables trading too. Where there is no room for a second file,
// the old one is overwritten: who reads it half written does not trade either.
func (f *gateFile) put(state GateState) error {
	d, err := f.draft(state)
	if err == nil {
		defer d.Discard()
		err = f.place(d)
	}
	if err == nil || errors.Is(err, errTheirs) {
		return err
	}
	f.info = nil
	content, encodeErr := state.encode()
	if encodeErr != nil {
		return err
	}
	if there, readErr := os.ReadFile(f.path); readErr == nil && state.Mode != Halted && !f.mayGo(there) {
		return errTheirs
	}
	f.placed++
	if os.WriteFile(f.path, content, gateMode) != nil {
		f.bytes, _ = os.ReadFile(f.path) // what became of it is nobody else's doing
		f.content = GateState{}
		return err
	}
	f.content, f.bytes, f.synced = state, content, false
	f.info, _ = os.Stat(f.path)
	return nil
}

// sync makes durable what was put.
func (f *gateFile) sync() error {
	return f.wait(func() error { return errors.Join(durable.SyncFile(f.path), f.syncEntry()) })
}

func (f *gateFile) syncEntry() error { return durable.SyncDir(filepath.Dir(f.path)) }

func (f *gateFile) wait(disk func() error) error {
	if f.disk != nil {
		return f.disk(disk)
	}
	return disk()
}

// kept notes how the n-th write ended. One that failed is to be done again.
func (f *gateFile) kept(n int, err error) {
	if f.placed != n {
		return // it is another file since
	}
	if f.synced = err == nil; err != nil {
		f.info = nil
	}
}

// place puts a draft in the place of the file, unless that would lose what somebody else wrote.
func (f *gateFile) place(d *draft) error {
	var err error
	if f.shared && d.state.Mode != Halted {
		err = f.yield(d)
	} else {
		err = d.Replace()
	}
	if err != nil {
		return err
	}
	f.content, f.bytes, f.info, f.synced = d.state, d.content, d.info, false
	f.placed++
	return nil
}

// yield puts a draft in the place of the file and looks at what came out of it, so that there is
// no instant at which something could be written and lost. What must not be lost goes back in.
func (f *gateFile) yield(d *draft) error {
	err := d.Exchange()
	for n := 0; errors.Is(err, fs.ErrNotExist) && n < 3; n++ { // or somebody makes and removes it in turns
		if err = d.Create(); err == nil {
			return nil
		}
		if errors.Is(err, fs.ErrExist) {
			err = d.Exchange()
		}
	}
	if errors.Is(err, durable.ErrNoExchange) {
		if there, err := os.ReadFile(f.path); err == nil && !f.mayGo(there) {
			return errTheirs
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return d.Replace() // as soon as possible after the look
	}
	if err != nil {
		return err
	}
	if out, err := os.ReadFile(d.Out()); err == nil && f.mayGo(out) {
		return nil
	}
	if err := d.Exchange(); errors.Is(err, fs.ErrNotExist) {
		err = d.Replace()
		return errors.Join(errTheirs, err)
	} else if err != nil {
		return errors.Join(errTheirs, err)
	}
	if out, err := os.ReadFile(d.Out()); err != nil || !bytes.Equal(out, d.content) && !f.mayGo(out) {
		_ = d.Exchange() // written in between, and newer than what went back in
	}
	return errTheirs
}

// mayGo says whether nothing is lost with this content of the file: it is known, or worth nothing.
func (f *gateFile) mayGo(content []byte) bool {
	if f.bytes != nil && bytes.Equal(content, f.bytes) {
		return true
	}
	state, err := decodeGate(content)
	return err == nil && state.Mode != Halted
}

// left is the halt that a Pitstop that was killed while it wrote the file left beside it: one that had just
// come out of it, or was about to go in.
func (f *gateFile) left() (state GateState, found bool) {
	for _, path := range durable.Leftovers(f.path) {
		if content, err := os.ReadFile(path); err == nil {
			if state, err := decodeGate(content); err == nil && state.Mode == Halted {
				return state, true
			}
		}
	}
	return GateState{}, false
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

// settled reports whether the file is the one last written. Only its entry is looked at.
func (f *gateFile) settled() bool {
	if f.info == nil {
		return false
	}
	now, err := os.Stat(f.path)
	return err == nil && os.SameFile(now, f.info) && now.Size() == f.info.Size() && now.ModTime().Equal(f.info.ModTime())
}

// tells reports whether the file says so, and will after a power cut.
func (f *gateFile) tells(state GateState) bool {
	return f.synced && state.same(f.content) && f.settled()
}

// byOthers reads the file if somebody else wrote it: nil if nobody did. An error is one of decodeGate: they
// may not have written all of it yet.
func (f *gateFile) byOthers() (*GateState, error) {
	if f.settled() {
		return nil, nil
	}
	content, err := os.ReadFile(f.path)
	if err != nil || f.bytes != nil && bytes.Equal(content, f.bytes) {
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
