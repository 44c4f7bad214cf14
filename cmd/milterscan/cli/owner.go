package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"slices"
	"strconv"
	"syscall"

	"github.com/milterscan/milterscan/policy/disk"
)

// AsOwner lets a command that root has called go on as the user in whose hands the
// paths are: the first who is not root. That user could otherwise make root write
// where links lead. back makes the process root's again. Nothing changes where root
// owns everything, and where the caller is not root.
func AsOwner(paths ...string) (back func(), err error) {
	if os.Geteuid() != 0 {
		return func() {}, nil
	}
	for _, path := range paths {
		if path == "" {
			continue
		}
		uid, gid, err := disk.Owner(path)
		if err != nil {
			return nil, err
		}
		if uid != 0 {
			return become(uid, gid)
		}
	}
	return func() {}, nil
}

// become makes the process another user's, with the groups of that user. Programs it
// starts have no way back.
func become(uid, gid int) (back func(), err error) {
	groups := []int{gid}
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		if ids, err := u.GroupIds(); err == nil {
			groups = numbers(ids)
		}
		gid, _ = strconv.Atoi(u.Gid) // which is a number on Unix
	}
	before, err := syscall.Getgroups()
	if err != nil {
		return nil, err
	}
	root := os.Getgid()
	back = func() {
		syscall.Setresuid(0, 0, 0)
		syscall.Setresgid(root, root, root)
		syscall.Setgroups(before)
	}
	for _, step := range []func() error{
		func() error { return syscall.Setgroups(groups) },
		func() error { return syscall.Setresgid(gid, gid, root) },
		func() error { return syscall.Setresuid(uid, uid, 0) },
	} {
		if err := step(); err != nil {
			back()
			return nil, fmt.Errorf("cannot go on as user %d: %w", uid, err)
		}
	}
	return back, nil
}

func numbers(list []string) []int {
	var all []int
	for _, s := range list {
		if n, err := strconv.Atoi(s); err == nil && !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	return all
}

// Denied says who may do what was denied, and leaves other errors as they are.
func Denied(err error, path string) error {
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return fmt.Errorf("permission denied: run as root or %s (%w)", ownerName(path), err)
}

// ownerName returns the name of the user in whose hands a path is.
func ownerName(path string) string {
	uid, _, err := disk.Owner(path)
	if err != nil || uid == 0 {
		return DaemonUser
	}
	u, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return "user " + strconv.Itoa(uid)
	}
	return cmp.Or(u.Username, DaemonUser)
}

// DaemonUser is the user the daemon runs as where the unit is ours.
const DaemonUser = "milterscan"
