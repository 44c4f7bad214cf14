// Package disk writes files that are whole or not there, and on the disk before
// anybody relies on them.
package disk

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Write makes a file in an open directory, or replaces it, with what fill writes. It
// returns when the bytes are on the disk under their name; for the name itself
// to be safe, Sync follows. After an error there is no new file. Nothing that is in
// the directory leads the file out of it.
func Write(dir *os.Root, name string, fill func(io.Writer) error) error {
	return write(dir, ".new-"+rand.Text(), name, func(f *os.File) error {
		return errors.Join(fill(f), adopt(f, dir.Stat))
	})
}

// Save makes a file, or replaces it, with what fill writes, and its directory if that is not there. It returns when
// both are on the disk.
func Save(path string, fill func(io.Writer) error) error {
	dir := filepath.Dir(path)
	if err := MakeDir(dir); err != nil {
		return err
	}
	root, err := Open(dir, "")
	if err != nil {
		return err
	}
	defer root.Close()
	return errors.Join(Write(root, filepath.Base(path), fill), Sync(root))
}

// Replace gives a file its content, mode and owner in one step: a reader sees the old
// one or the new one, also after the power was cut. Until then the new one has passing
// added to its name; what an interrupted Replace has left there is replaced.
func Replace(path, passing string, content []byte, mode fs.FileMode, uid, gid int) error {
	dir, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	name := filepath.Base(path)
	if err := dir.Remove(name + passing); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err = write(dir, name+passing, name, func(f *os.File) error {
		_, err := f.Write(content)
		return errors.Join(err, f.Chown(uid, gid), f.Chmod(mode))
	})
	if err != nil {
		return err
	}
	return Sync(dir)
}

// write has fill make a file under a fresh name, and moves it into place when it is on
// the disk.
func write(dir *os.Root, fresh, name string, fill func(*os.File) error) error {
	f, err := dir.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err = fill(f); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = dir.Rename(fresh, name)
	}
	if err != nil {
		dir.Remove(fresh)
	}
	return err
}

// Append adds a text to the end of a file in an open directory, makes the file if
// there is none, and returns when the text is on the disk.
func Append(dir *os.Root, name string, text []byte) error {
	f, err := dir.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return err
	}
	if err = adopt(f, dir.Stat); err == nil {
		_, err = f.Write(text)
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// Open opens a directory for Write and Append; sub, if not "", is one in it.
func Open(dir, sub string) (*os.Root, error) {
	root, err := os.OpenRoot(dir)
	if err != nil || sub == "" {
		return root, err
	}
	defer root.Close()
	return root.OpenRoot(sub)
}

// MakeSub makes a directory for our own eyes in an open one if it is not there, and
// returns when its name is on the disk.
func MakeSub(dir *os.Root, name string) error {
	err := dir.Mkdir(name, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	made, err := dir.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	return errors.Join(adopt(made, dir.Stat), made.Close(), Sync(dir))
}

// Sync returns when the names in an open directory are on the disk.
func Sync(dir *os.Root) error {
	d, err := dir.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Begin makes the file dir/name unless it is there, which is an fs.ErrExist. fill
// is given an empty file by its path: it is the only one to have it open.
func Begin(dir, name string, fill func(path string) error) error {
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := errors.Join(adopt(f, at(dir)), f.Close()); err != nil {
		return err
	}
	if err := fill(f.Name()); err != nil {
		return err
	}
	return os.Link(f.Name(), filepath.Join(dir, name))
}

// at returns a function like os.Root.Stat for the directory of a path.
func at(dir string) func(string) (fs.FileInfo, error) {
	return func(name string) (fs.FileInfo, error) { return os.Stat(filepath.Join(dir, name)) }
}

// adopt gives a file to the owner of its directory. Root may look at what
// the daemon keeps; what root leaves there must not lock the daemon out. What the
// owner of the directory can have put there is refused: another name of a file that
// is somewhere else, and anything but a file or a directory.
func adopt(f *os.File, stat func(name string) (fs.FileInfo, error)) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	of, err := stat(".")
	if err != nil {
		return err
	}
	file, ok := info.Sys().(*syscall.Stat_t)
	owner, known := of.Sys().(*syscall.Stat_t)
	switch {
	case !ok || !known:
		return nil
	case !info.IsDir() && (!info.Mode().IsRegular() || file.Nlink > 1):
		return fmt.Errorf("%s is a hard link or no regular file, which the owner of the directory can have put there: remove it", f.Name())
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
	made, err := os.OpenFile(dir, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer made.Close()
	return errors.Join(adopt(made, at(filepath.Dir(dir))), SyncDir(filepath.Dir(dir)))
}

// ErrLocked says that another process holds a lock.
var ErrLocked = errors.New("in use by another process")

// Lock waits for a lock that only one process, and only one caller within it,
// holds at a time. The file is made if it is not there. The lock ends with the
// returned function, or with the process.
func Lock(file string) (unlock func(), err error) { return lock(file, syscall.LOCK_EX) }

// TryLock does what Lock does without waiting: the error is ErrLocked if another process holds it.
func TryLock(file string) (unlock func(), err error) {
	unlock, err = lock(file, syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrLocked
	}
	return unlock, err
}

func lock(file string, how int) (func(), error) {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, err
	}
	err = adopt(f, at(filepath.Dir(file)))
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
