package virus

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// dirPrefix begins the names of directories with contents for programs; the number of
// the process that made it follows. It has its directory locked.
const dirPrefix = "milterscan-virus-"

// justMade is how old a directory is at least that has long been locked.
const justMade = time.Minute

// privateDir makes a directory for contents that a program looks at, which no other
// user can read. The caller removes it.
func privateDir() (dir string, remove func(), err error) {
	dir, err = os.MkdirTemp("", dirPrefix+strconv.Itoa(os.Getpid())+"-")
	if err != nil {
		return "", nil, err
	}
	lock, err := os.Open(dir)
	if err == nil {
		err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	remove = func() {
		os.RemoveAll(dir)
		lock.Close()
	}
	if err != nil {
		remove()
		return "", nil, err
	}
	return dir, remove, nil
}

// removeAbandoned removes directories whose process was killed before it could: they
// hold contents of mail. Those of other users, and of processes that are at work, stay.
func removeAbandoned(parent string) {
	all, _ := filepath.Glob(filepath.Join(parent, dirPrefix+"*"))
	for _, dir := range all {
		if abandoned(dir) {
			os.RemoveAll(dir)
		}
	}
}

// abandoned reports whether a directory is one of ours that no process uses.
func abandoned(dir string) bool {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() || info.Sys().(*syscall.Stat_t).Uid != uint32(os.Geteuid()) {
		return false
	}
	number, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), dirPrefix), "-")
	if pid, err := strconv.Atoi(number); err == nil && time.Since(info.ModTime()) < justMade && syscall.Kill(pid, 0) == nil {
		return false // it may not have locked it yet
	}
	lock, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer lock.Close()
	return syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
