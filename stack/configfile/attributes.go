package configfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// aclAttribute holds the POSIX access ACL.
	aclAttribute = "system.posix_acl_access"
	// maxAttribute is the most that Linux gives an attribute's value.
	maxAttribute = 64 << 10
	modeBits     = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky
)

// like gives a new file, which nobody else may read so far, the live file's owner, ACL and further
// attributes, and returns its mode, which is to come last. What cannot be kept is warned of. It is
// an error where somebody who reads the file may then be shut out, of the new one and of its backup
// alike: no service could load either.
func (s *Store) like(f *os.File, target string) (fs.FileMode, error) {
	live, err := os.Stat(target)
	if errors.Is(err, fs.ErrNotExist) {
		return 0o644, nil
	}
	if err != nil {
		return 0, err
	}
	mode := live.Mode() & modeBits
	lost, err := s.keepOwner(f, live)
	if err != nil {
		return 0, err
	}
	if err := s.keepAttributes(f, target); err != nil {
		s.log.Warn("the config file's ACL cannot be kept", "path", s.path, "error", err)
		lost = append(lost, "its ACL")
	}
	if len(lost) > 0 && mode&0o004 == 0 {
		return 0, fmt.Errorf("%s cannot be kept by Pitstop, which runs as user %d, and mode %04o lets not everybody read it, so services might be shut out; run Pitstop as root, or as the file's owner, or let everybody read the file: %w",
			strings.Join(lost, " and "), os.Geteuid(), mode.Perm(), fs.ErrPermission)
	}
	return mode, nil
}

// keepOwner returns what of it is lost for those who read the file by it.
func (s *Store) keepOwner(f *os.File, live fs.FileInfo) (lost []string, err error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	was, known := live.Sys().(*syscall.Stat_t)
	is, _ := info.Sys().(*syscall.Stat_t)
	if !known || is == nil {
		return nil, nil
	}
	if was.Uid != is.Uid && s.sys.chown(f.Name(), int(was.Uid), -1) != nil {
		s.log.Warn("the config file's owner cannot be kept: Pitstop's user will own the new one",
			"path", s.path, "owner", was.Uid, "pitstop", is.Uid)
		if live.Mode()&0o400 != 0 {
			lost = append(lost, fmt.Sprintf("its owner, user %d,", was.Uid))
		}
	}
	if was.Gid != is.Gid && s.sys.chown(f.Name(), -1, int(was.Gid)) != nil {
		s.log.Warn("the config file's group cannot be kept: the new one has Pitstop's",
			"path", s.path, "group", was.Gid, "pitstop", is.Gid)
		if live.Mode()&0o040 != 0 {
			lost = append(lost, fmt.Sprintf("its group, %d,", was.Gid))
		}
	}
	return lost, nil
}

// keepAttributes copies the ACL, and of other attributes, such as SELinux's label and the user's own,
// what can be copied. The error is the ACL's.
func (s *Store) keepAttributes(f *os.File, target string) error {
	for _, name := range attributes(target) {
		if err := copyAttribute(f, target, name); err != nil {
			s.log.Warn("an attribute of the config file cannot be kept", "path", s.path, "attribute", name, "error", err)
		}
	}
	err := copyAttribute(f, target, aclAttribute)
	if errors.Is(err, unix.ENODATA) {
		// What the folder's default ACL gave the new file must not let in whom the live file does not.
		if _, err = unix.Fgetxattr(int(f.Fd()), aclAttribute, nil); err == nil {
			err = unix.Fremovexattr(int(f.Fd()), aclAttribute)
		}
	}
	if errors.Is(err, unix.ENODATA) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return nil
	}
	return err
}

// attributes are the names of a file's extended attributes, without the ACL and those that the
// kernel keeps of a file's bytes.
func attributes(path string) (names []string) {
	list := make([]byte, maxAttribute)
	n, err := unix.Listxattr(path, list)
	if err != nil {
		return nil // there are none here
	}
	for name := range strings.SplitSeq(string(list[:n]), "\x00") {
		switch {
		case name == "", name == aclAttribute, name == "security.ima", name == "security.evm",
			name == "security.capability", strings.HasPrefix(name, "trusted."):
		default:
			names = append(names, name)
		}
	}
	return names
}

// copyAttribute sets only what differs: a process may have a label without the right to set it.
func copyAttribute(f *os.File, from, name string) error {
	value, have := make([]byte, maxAttribute), make([]byte, maxAttribute)
	n, err := unix.Getxattr(from, name, value)
	if err != nil {
		return err
	}
	if m, err := unix.Fgetxattr(int(f.Fd()), name, have); err == nil && bytes.Equal(value[:n], have[:m]) {
		return nil
	}
	return unix.Fsetxattr(int(f.Fd()), name, value[:n], 0)
}

// setMode asks for no mode that is there already: file systems without modes refuse even that.
func setMode(f *os.File, mode fs.FileMode) error {
	if info, err := f.Stat(); err == nil && info.Mode()&modeBits == mode {
		return nil
	}
	return f.Chmod(mode)
}

// replaceable says early what else would show only when the stack stands still: why the live file
// cannot be replaced by another in its folder, though one can be made there.
func replaceable(target string) error {
	info, err := os.Stat(target)
	if err != nil {
		return nil // there is none yet, or reading it says more
	}
	err = unix.Access(target, unix.W_OK)
	switch {
	case err != nil && mounted(target):
		return fmt.Errorf("it is a mount point, so it can only be written in place, which is not allowed: %w; mount its folder instead", err)
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("it is marked as immutable (chattr -i allows changes): %w", err)
	}
	folder, err := os.Stat(filepath.Dir(target))
	if err != nil || folder.Mode()&fs.ModeSticky == 0 {
		return nil
	}
	me := uint32(os.Geteuid())
	is, known := info.Sys().(*syscall.Stat_t)
	its, _ := folder.Sys().(*syscall.Stat_t)
	if known && its != nil && me != 0 && me != is.Uid && me != its.Uid {
		return fmt.Errorf("its folder is sticky, so only user %d, whose file it is, may replace it, and Pitstop runs as user %d: %w", is.Uid, me, fs.ErrPermission)
	}
	return nil
}
