package worker

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/milterscan/milterscan/scan/archive"
)

// inMemory copies a container into a file that is nowhere but in memory.
func inMemory(c archive.Content) (*os.File, error) {
	fd, err := unix.MemfdCreate("container", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "container")
	if _, err := io.Copy(f, io.NewSectionReader(c, 0, c.Size())); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// helperDirectories are what a helper may read, beside its own directory: programs,
// libraries, and what the loader and GNUstep need to start. Here /proc/self is the
// process alone, which stays what it is when it becomes the program.
var helperDirectories = []string{"/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/ld.so.conf", "/dev/null", "/dev/urandom", "/proc/self", "/etc/nsswitch.conf", "/etc/passwd"}

// become replaces this process with a program that may use so many bytes of
// memory and seconds of CPU time, write no file, and read only
// helperDirectories. It returns only if it fails. A kernel without Landlock
// leaves out the last.
func become(memory, seconds string, command []string) error {
	bytes, err := strconv.ParseUint(memory, 10, 62)
	cpu, err2 := strconv.ParseUint(seconds, 10, 31)
	if err = errors.Join(err, err2); err != nil {
		return err
	}
	runtime.LockOSThread() // what follows is this thread's, and the new program's
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	if err := readOnly(filepath.Dir(command[0])); err != nil && !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EOPNOTSUPP) {
		return err
	}
	// The soft limit of CPU time ends the program with a signal that tells why.
	if err := unix.Prlimit(0, unix.RLIMIT_CPU, &unix.Rlimit{Cur: cpu, Max: cpu + 1}, nil); err != nil {
		return err
	}
	for resource, n := range map[int]uint64{unix.RLIMIT_CORE: 0, unix.RLIMIT_FSIZE: 0, unix.RLIMIT_NOFILE: 64, unix.RLIMIT_DATA: bytes} {
		if err := limit(resource, n); err != nil {
			return err
		}
	}
	return unix.Exec(command[0], command, []string{"HOME=/nonexistent", "LC_ALL=C.UTF-8"})
}

// readOnly denies this thread all access to files and the network, but for
// reading and executing in own and in helperDirectories.
func readOnly(own string) error {
	fd, err := ruleset()
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for _, dir := range append([]string{own}, helperDirectories...) {
		if err := allow(fd, dir); err != nil && !errors.Is(err, unix.ENOENT) {
			return err
		}
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(fd), 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// allow adds to a rule set that what is below path may be read and executed.
func allow(ruleset int, path string) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return err
	}
	rule := unix.LandlockPathBeneathAttr{Parent_fd: int32(fd), Allowed_access: unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_EXECUTE}
	if stat.Mode&unix.S_IFMT == unix.S_IFDIR {
		rule.Allowed_access |= unix.LANDLOCK_ACCESS_FS_READ_DIR
	}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
