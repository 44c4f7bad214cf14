// Package disk writes files that are whole or not there, and on the disk before
// anybody relies on them.
package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Write makes the file dir/name, or replaces it, with what fill writes. It
// returns when the bytes are on the disk under their name; for the name itself
// to be safe, SyncDir follows. After an error there is no new file.
func Write(dir, name string, fill func(io.Writer) error) error {
	f, err := os.CreateTemp(dir, ".new-*") // readable by nobody else
	if err != nil {
		return err
	}
	err = fill(f)
	if err == nil {
		err = errors.Join(adopt(f, dir), f.Sync())
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// Begin makes the file dir/name unless it is there, which is an fs.ErrExist. fill
// is given an empty file by its path: it is the only one to have it open.
func Begin(dir, name string, fill func(path string) error) error {
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := errors.Join(adopt(f, dir), f.Close()); err != nil {
		return err
	}
	if err := fill(f.Name()); err != nil {
		return err
	}
	return os.Link(f.Name(), filepath.Join(dir, name))
}

// adopt gives a new file to the owner of its directory. Root may look at what
// the daemon keeps; what root leaves there must not lock the daemon out.
func adopt(f *os.File, dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return f.Chown(int(owner.Uid), int(owner.Gid))
}

// SyncDir returns when the names in a directory are on the disk.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// MakeDir makes a directory for our own eyes if it is not there, with those
// above it, and returns when its name is on the disk.
func MakeDir(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := MakeDir(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	made, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer made.Close()
	return errors.Join(adopt(made, filepath.Dir(dir)), SyncDir(filepath.Dir(dir)))
}

// ErrLocked says that another process holds a lock.
var ErrLocked = errors.New("in use by another process")

// Lock waits for a lock that only one process, and only one caller within it,
// holds at a time. The file is made if it is not there. The lock ends with the
// returned function, or with the process.
func Lock(file string) (unlock func(), err error) { return lock(file, syscall.LOCK_EX) }

// TryLock is Lock without waiting: the error is ErrLocked if somebody holds it.
func TryLock(file string) (unlock func(), err error) {
	unlock, err = lock(file, syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrLocked
	}
	return unlock, err
}

func lock(file string, how int) (func(), error) {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	err = adopt(f, filepath.Dir(file))
	for err == nil {
		if err = syscall.Flock(int(f.Fd()), how); !errors.Is(err, syscall.EINTR) {
			break
		}
		err = nil
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", file, err)
	}
	return func() { f.Close() }, nil
}
