// Package access tells what a user may do with a file, by the modes of the file
// and of every directory above it. It asks for users other than the one that runs
// it: the daemon's, and the MTA's.
package access

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// User is a user with all groups.
type User struct {
	name string
	uid  uint32
	gids []uint32
}

// Of looks a user up by name.
func Of(name string) (User, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return User{}, err
	}
	p := User{name: name}
	groups, err := u.GroupIds()
	for _, g := range append(groups, u.Gid) {
		if n, err := strconv.ParseUint(g, 10, 32); err == nil {
			p.gids = append(p.gids, uint32(n))
		}
	}
	uid, err2 := strconv.ParseUint(u.Uid, 10, 32)
	p.uid = uint32(uid)
	return p, errors.Join(err, err2)
}

// The rights of a file, as in the last digit of its mode.
const (
	Read   fs.FileMode = 4
	Write  fs.FileMode = 2
	Search fs.FileMode = 1
)

// may reports whether the user has all of the wanted rights to a file, by its
// mode. Where an access control list adds to the mode, the list may grant them.
func (p User) may(path string, info fs.FileInfo, want fs.FileMode) bool {
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || p.uid == 0 {
		return true
	}
	mode := info.Mode().Perm()
	switch {
	case owner.Uid == p.uid:
		mode >>= 6
	case slices.Contains(p.gids, owner.Gid):
		mode >>= 3
	}
	return mode&want == want || hasList(path)
}

// Reaches returns why the user cannot use a path with the wanted rights, nil if
// the user can: every directory above must be searchable.
func (p User) Reaches(path string, want fs.FileMode) error {
	for _, dir := range above(path) {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if !p.may(dir, info, Search) {
			return fmt.Errorf("the user %s may not enter %s (mode %#o)", p.name, dir, info.Mode().Perm())
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !p.may(path, info, want) {
		return fmt.Errorf("the user %s may not use %s (mode %#o)", p.name, path, info.Mode().Perm())
	}
	return nil
}

// above returns the directories above a path, the root first.
func above(path string) []string {
	var dirs []string
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		dirs = append(dirs, dir)
		if dir == filepath.Dir(dir) {
			slices.Reverse(dirs)
			return dirs
		}
	}
}
