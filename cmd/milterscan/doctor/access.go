package doctor

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

// person is a user with all groups.
type person struct {
	name string
	uid  uint32
	gids []uint32
}

// personOf looks a user up.
func personOf(name string) (person, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return person{}, err
	}
	p := person{name: name}
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
	toRead   fs.FileMode = 4
	toWrite  fs.FileMode = 2
	toSearch fs.FileMode = 1
)

// may reports whether the person has all of the wanted rights to a file, by its
// mode; access lists are not looked at.
func (p person) may(info fs.FileInfo, want fs.FileMode) bool {
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
	return mode&want == want
}

// reaches says why the person cannot use a path with the wanted rights, nil if it
// can: every directory above must be searchable.
func (p person) reaches(path string, want fs.FileMode) error {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if !p.may(info, toSearch) {
			return fmt.Errorf("the user %s may not enter %s (mode %#o)", p.name, dir, info.Mode().Perm())
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !p.may(info, want) {
		return fmt.Errorf("the user %s may not use %s (mode %#o)", p.name, path, info.Mode().Perm())
	}
	return nil
}
