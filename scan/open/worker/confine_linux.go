package worker

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
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
	// The runtime opens a few descriptors itself when the first timer is set.
	time.Sleep(time.Nanosecond)
	try("no new privileges", onAllThreads(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1))
	try("landlock", landlock())
	try("system calls", denyCalls(true, allThreads))
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

// everything returns the rule set that allows nothing, in the terms of the kernel's
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

// dieWithUs returns the attributes to start a child with: the kernel kills it when
// this process is gone.
func dieWithUs() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

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

// allowCPU lets the process use that much more CPU time; then it calls leave, which ends
// it. Calling the function it returns lifts the limit.
func allowCPU(more time.Duration, leave func()) (lift func()) {
	limit := ownCPU() + more
	done, over := make(chan struct{}), make(chan os.Signal, 1)
	signal.Notify(over, unix.SIGXCPU) // of the kernel, should this process not come to look
	go func() {
		for left := more; left > 0; left = limit - ownCPU() {
			select {
			case <-done:
				return
			case <-over:
				leave()
			case <-time.After(max(left/time.Duration(runtime.NumCPU()), time.Millisecond)):
			}
		}
		leave()
	}()
	setSoft := func(n uint64) {
		unix.Prlimit(0, unix.RLIMIT_CPU, &unix.Rlimit{Cur: n, Max: unix.RLIM_INFINITY}, nil)
	}
	setSoft(uint64(limit/time.Second) + 1)
	return func() {
		setSoft(unix.RLIM_INFINITY)
		signal.Stop(over)
		close(done)
	}
}

// ownCPU returns how much CPU time this process has taken.
func ownCPU() time.Duration {
	var used unix.Rusage
	unix.Getrusage(unix.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// cpuOf returns how much CPU time a process has taken, all its threads together: the clock
// that clock_getcpuclockid(3) makes of its number.
func cpuOf(pid int) time.Duration {
	const ofProcess = 2
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|ofProcess), &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
