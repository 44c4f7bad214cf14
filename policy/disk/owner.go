package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Owner returns the user in whose hands a path is: the owner of the first name on
// the way to it that is not root's. That user decides what others find there, and may
// put a symbolic link in its place at any time. The path need not be there. Of a
// path that only root can change the owner is root, 0 and 0.
func Owner(path string) (uid, gid int, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return 0, 0, err
	}
	w := walk{left: names(path)}
	for len(w.left) > 0 {
		info, err := os.Lstat(w.next())
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return 0, 0, nil
		case err != nil:
			return 0, 0, err
		}
		if s, ok := info.Sys().(*syscall.Stat_t); ok && s.Uid != 0 {
			return int(s.Uid), int(s.Gid), nil
		}
		if err := w.enter(info); err != nil {
			return 0, 0, err
		}
	}
	return 0, 0, nil
}

// maxLinks is how many symbolic links a way may have, as in the kernel.
const maxLinks = 40

// walk is the way to a path, one name after the other.
type walk struct {
	at    string // without links; "" is the root directory
	left  []string
	links int
}

// names takes a path apart.
func names(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == filepath.Separator })
}

// next returns the path of the next name.
func (w *walk) next() string { return filepath.Join("/", w.at, w.left[0]) }

// enter goes on past the next name, along the link if it is one.
func (w *walk) enter(info fs.FileInfo) error {
	path := w.next()
	w.left = w.left[1:]
	if info.Mode()&fs.ModeSymlink == 0 {
		w.at = path
		return nil
	}
	target, err := os.Readlink(path)
	if err != nil {
		return err
	}
	if w.links++; w.links > maxLinks {
		return fmt.Errorf("%s: %w", path, syscall.ELOOP)
	}
	if filepath.IsAbs(target) {
		w.at = ""
	}
	w.left = append(names(target), w.left...)
	return nil
}
