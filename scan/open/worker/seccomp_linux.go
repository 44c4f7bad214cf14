//go:build linux && (amd64 || arm64)

package worker

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// denied are system calls that nothing we start has any use for: other processes, leaving
// the group that is ended with the program, name spaces, and what the kernel lets programs
// load or run inside it.
var denied = []uintptr{
	unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PIDFD_GETFD, unix.SYS_KCMP,
	unix.SYS_SETSID, unix.SYS_SETPGID, unix.SYS_UNSHARE, unix.SYS_SETNS, unix.SYS_CHROOT, unix.SYS_PIVOT_ROOT,
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_MOVE_MOUNT, unix.SYS_OPEN_TREE, unix.SYS_FSOPEN, unix.SYS_FSMOUNT, unix.SYS_MOUNT_SETATTR,
	unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER,
	unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD,
	unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY,
	unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE, unix.SYS_KEXEC_LOAD, unix.SYS_REBOOT,
	unix.SYS_OPEN_BY_HANDLE_AT,
}

// begins are those that begin processes, threads aside.
var begins = append([]uintptr{unix.SYS_EXECVEAT}, forks...)

// newSpaces are the flags of clone(2) that make name spaces.
const newSpaces = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET |
	unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP

// Where a filter finds what it looks at, see seccomp(2).
const (
	atNumber = 0
	atArch   = 4
	atArg0   = 16 // its lower half, on machines that store that first
)

// Answers of a filter.
const (
	allowCall = unix.SECCOMP_RET_ALLOW
	denyCall  = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	noCall    = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
)

// filter is a program of the kernel's packet filter.
type filter []unix.SockFilter

func (f *filter) load(at uint32) {
	*f = append(*f, unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at})
}

func (f *filter) answer(with uint32) {
	*f = append(*f, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: with})
}

// when answers if the loaded value compares with k in that way.
func (f *filter) when(compare uint16, k, with uint32) {
	*f = append(*f, unix.SockFilter{Code: unix.BPF_JMP | compare | unix.BPF_K, K: k, Jf: 1})
	f.answer(with)
}

// unless answers if it does not.
func (f *filter) unless(compare uint16, k, with uint32) {
	*f = append(*f, unix.SockFilter{Code: unix.BPF_JMP | compare | unix.BPF_K, K: k, Jt: 1})
	f.answer(with)
}

// callsOf returns the filter for a process that may, or may not, begin others.
func callsOf(alone bool) filter {
	var f filter
	f.load(atArch)
	f.unless(unix.BPF_JEQ, ourArch, denyCall) // the numbers would mean other calls
	f.load(atNumber)
	f.when(unix.BPF_JGE, 1<<30, denyCall) // likewise, on amd64
	for _, call := range denied {
		f.when(unix.BPF_JEQ, uint32(call), denyCall)
	}
	f.sockets(alone)
	if alone {
		for _, call := range begins {
			f.when(unix.BPF_JEQ, uint32(call), denyCall)
		}
	}
	f.when(unix.BPF_JEQ, unix.SYS_CLONE3, noCall) // whose flags cannot be seen; libraries then use clone
	f.unless(unix.BPF_JEQ, unix.SYS_CLONE, allowCall)
	f.load(atArg0)
	f.when(unix.BPF_JSET, newSpaces, denyCall)
	if alone {
		f.unless(unix.BPF_JSET, unix.CLONE_THREAD, denyCall)
	}
	f.answer(allowCall)
	return f
}

// sockets denies sockets of every family, which landlock(7) knows only in part. A
// program that may begin others may also ask its own daemon by a unix socket.
func (f *filter) sockets(alone bool) {
	if alone {
		f.when(unix.BPF_JEQ, unix.SYS_SOCKET, denyCall)
		return
	}
	*f = append(*f, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_SOCKET, Jf: 4})
	f.load(atArg0)
	f.when(unix.BPF_JEQ, unix.AF_UNIX, allowCall)
	f.answer(denyCall)
}

// denyCalls takes system calls away from this process, or from this thread and what it
// becomes, for good. An alone process can begin no other.
func denyCalls(alone bool, flags uintptr) error {
	f := callsOf(alone)
	program := unix.SockFprog{Len: uint16(len(f)), Filter: &f[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&program)))
	runtime.KeepAlive(f)
	if errno != 0 {
		return errno
	}
	return nil
}

// allThreads has a filter hold for all threads of the process.
const allThreads = unix.SECCOMP_FILTER_FLAG_TSYNC
