//go:build linux

package worker

import "golang.org/x/sys/unix"

const ourArch = unix.AUDIT_ARCH_X86_64

// forks are the calls that begin a process without clone.
var forks = []uintptr{unix.SYS_FORK, unix.SYS_VFORK}
