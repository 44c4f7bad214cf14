package worker

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/milterscan/milterscan/scan/units"
)

// confine takes away from this process, for good, what a decoder does not need:
// memory beyond a limit, new descriptors (and so files and sockets), written
// files, privileges, the file system. It returns what could not be taken.
func confine(memory units.Size) []string {
	var left []string
	try := func(what string, err error) {
		if err != nil {
			left = append(left, fmt.Sprintf("%s: %v", what, err))
		}
	}
	// The runtime opens a few descriptors of its own when the first timer is set.
	time.Sleep(time.Nanosecond)
	try("no new privileges", onAllThreads(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1))
	try("landlock", landlock())
	try("core file", limit(unix.RLIMIT_CORE, 0))
	try("file size", limit(unix.RLIMIT_FSIZE, 0))
	try("memory", limit(unix.RLIMIT_DATA, uint64(memory)))
	try("descriptors", limit(unix.RLIMIT_NOFILE, 0))
	return left
}

func limit(resource int, n uint64) error {
	return unix.Prlimit(0, resource, &unix.Rlimit{Cur: n, Max: n}, nil)
}

// onAllThreads makes a system call in every thread of the process. It cannot in a
// binary that is linked with C, which only tests are.
func onAllThreads(call, a, b uintptr) error {
	if _, _, errno := syscall.AllThreadsSyscall6(call, a, b, 0, 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// landlock denies every kind of access to files and the network that the kernel
// knows, see landlock(7).
func landlock() error {
	fd, _, err := ruleset()
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return onAllThreads(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(fd), 0)
}

// ruleset makes a set of rules that allows nothing yet, and says which rights it is
// about. The caller closes it.
func ruleset() (fd int, handled uint64, err error) {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return -1, 0, errno
	}
	rules, size := everything(int(abi))
	made, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&rules)), size, 0)
	if errno != 0 {
		return -1, 0, errno
	}
	return int(made), rules.Handled_access_fs, nil
}

// everything is the rule set that allows nothing, in the terms of the kernel's
// version of landlock. The structure is longer in later versions.
func everything(abi int) (rules unix.LandlockRulesetAttr, size uintptr) {
	rights := map[int]uint{1: 13, 2: 14, 3: 15, 4: 15}[min(abi, 4)]
	if abi >= 5 {
		rights = 16
	}
	rules.Handled_access_fs = 1<<rights - 1
	size = unsafe.Sizeof(rules.Handled_access_fs)
	if abi >= 4 {
		rules.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
		size = unsafe.Offsetof(rules.Handled_access_net) + unsafe.Sizeof(rules.Handled_access_net)
	}
	if abi >= 6 {
		rules.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
		size = unsafe.Offsetof(rules.Scoped) + unsafe.Sizeof(rules.Scoped)
	}
	return rules, size
}

// roomFor reports whether this host would give a process that much memory: a child
// that did not get what it may use died of the host.
func roomFor(memory units.Size) bool {
	m, err := unix.Mmap(-1, 0, int(memory), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return false
	}
	unix.Munmap(m)
	return true
}

// allowCPU lets the process use that much more CPU time; then it ends with
// exitCPU. Calling the function it returns lifts the limit.
func allowCPU(more time.Duration) (lift func()) {
	var used unix.Rusage
	unix.Getrusage(unix.RUSAGE_SELF, &used)
	total := time.Duration(used.Utime.Nano()+used.Stime.Nano()) + more
	seconds := uint64((total + time.Second - 1) / time.Second)
	over := make(chan os.Signal, 1)
	signal.Notify(over, unix.SIGXCPU)
	go func() {
		if _, ok := <-over; ok {
			leave()
		}
	}()
	setSoft := func(n uint64) {
		unix.Prlimit(0, unix.RLIMIT_CPU, &unix.Rlimit{Cur: n, Max: unix.RLIM_INFINITY}, nil)
	}
	setSoft(seconds)
	return func() {
		setSoft(unix.RLIM_INFINITY)
		signal.Stop(over)
		close(over)
	}
}
