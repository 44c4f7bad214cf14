package replay

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// giveWay has this process, and those it starts, give way to what judges mail, and be the first that the
// kernel ends where memory is short. A host that forbids it loses no more than that.
func giveWay() {
	if unix.Getpgrp() == os.Getpid() { // else the daemon would be in the group
		unix.Setpriority(unix.PRIO_PGRP, 0, 10)
	}
	os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0)
	unix.Prlimit(0, unix.RLIMIT_CORE, &unix.Rlimit{}, nil)
	unix.Prlimit(0, unix.RLIMIT_DATA, &unix.Rlimit{Cur: trialData, Max: trialData}, nil)
}

// trialData is what the child may have in memory, in bytes: the lists of two configurations, and one mail.
const trialData = 2 << 30

// ownGroup returns the attributes of a child that is ended together with those it starts.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// endGroup ends a child of ownGroup, and those it has started.
func endGroup(p *os.Process) { unix.Kill(-p.Pid, unix.SIGKILL) }
