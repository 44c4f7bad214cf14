package worker

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/milterscan/milterscan/scan/format/archive"
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

// helperDirectories are what a helper may read, as well as its own directory: programs,
// libraries, and what the loader and GNUstep need to start. Here /proc/self is the
// process alone, which stays what it is when it becomes the program.
var helperDirectories = []string{
	"/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/ld.so.conf",
	"/dev/null", "/dev/urandom", "/proc/self", "/etc/nsswitch.conf", "/etc/passwd",
}

// mostProcesses is how many processes and threads the daemon's user may have when a
// program begins one more: those of the daemon itself count.
const mostProcesses = 1024

// become replaces this process with a program that has these rights and no others.
// It returns only if it fails. A kernel without Landlock leaves out what concerns
// files.
func become(r rights, command []string) error {
	runtime.LockOSThread() // what follows is this thread's, and the new program's
	// The daemon asked it of the first thread alone, and this may be another.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	if err := r.confine(filepath.Dir(command[0])); err != nil && !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EOPNOTSUPP) {
		return err
	}
	// The soft limit of CPU time ends the program with a signal that tells why.
	if err := unix.Prlimit(0, unix.RLIMIT_CPU, &unix.Rlimit{Cur: uint64(r.CPU), Max: uint64(r.CPU) + 1}, nil); err != nil {
		return err
	}
	for resource, n := range map[int]int64{
		unix.RLIMIT_NPROC: mostProcesses, unix.RLIMIT_CORE: 0, unix.RLIMIT_FSIZE: r.File, unix.RLIMIT_NOFILE: r.Files,
	} {
		if err := limit(resource, uint64(n)); err != nil {
			return err
		}
	}
	if err := denyCalls(r.Alone, 0); err != nil && !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EINVAL) {
		return err
	}
	env := []string{"HOME=/nonexistent", "LC_ALL=C.UTF-8"}
	if r.Write != "" {
		env = append(env, "TMPDIR="+r.Write)
	}
	return execWithin(r.Memory, command, env)
}

// execWithin replaces this process with a program that has that much memory. Between
// the limit, which this process may be above, and the program it asks the Go runtime
// for nothing: what it needs is made before, and nothing is collected.
func execWithin(memory int64, command, env []string) error {
	debug.SetGCPercent(-1)
	path, err := unix.BytePtrFromString(command[0])
	if err != nil {
		return err
	}
	args, err := syscall.SlicePtrFromStrings(command)
	if err != nil {
		return err
	}
	vars, err := syscall.SlicePtrFromStrings(env)
	if err != nil {
		return err
	}
	most := unix.Rlimit{Cur: uint64(memory), Max: uint64(memory)}
	_, _, errno := unix.RawSyscall6(unix.SYS_PRLIMIT64, 0, unix.RLIMIT_DATA, uintptr(unsafe.Pointer(&most)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	_, _, errno = unix.RawSyscall(unix.SYS_EXECVE, uintptr(unsafe.Pointer(path)),
		uintptr(unsafe.Pointer(&args[0])), uintptr(unsafe.Pointer(&vars[0])))
	return errno
}

// What a program may do with files it reads, and with those in the directory it
// may write to.
const (
	toRead  = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	toWrite = toRead | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE |
		unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_DIR |
		unix.LANDLOCK_ACCESS_FS_REMOVE_FILE | unix.LANDLOCK_ACCESS_FS_REMOVE_DIR
)

// confine denies this thread all access to files and the network, but for reading
// and executing in own, in helperDirectories and in r.Read, and for writing in
// r.Write.
func (r rights) confine(own string) error {
	rules, handled, err := ruleset()
	if err != nil {
		return err
	}
	defer unix.Close(rules)
	grant := func(path string, access uint64) error {
		if err := allow(rules, path, access&handled); err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	}
	for _, dir := range slices.Concat([]string{own}, helperDirectories, r.Read) {
		if err := grant(dir, toRead); err != nil {
			return err
		}
	}
	if r.Write != "" {
		err = errors.Join(grant(r.Write, toWrite), grant("/dev/null", toRead|unix.LANDLOCK_ACCESS_FS_WRITE_FILE))
	}
	if err != nil {
		return err
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(rules), 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// Rights that only files have.
const ofFiles = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_EXECUTE |
	unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE

// allow adds to a rule set what may be done with path and all that is below it.
func allow(ruleset int, path string, access uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return err
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		access &= ofFiles
	}
	rule := unix.LandlockPathBeneathAttr{Parent_fd: int32(fd), Allowed_access: access}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), unix.LANDLOCK_RULE_PATH_BENEATH,
		uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
