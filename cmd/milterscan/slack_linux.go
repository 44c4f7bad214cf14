package main

import (
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// timerSlack is by how much the kernel may put off the end of a wait, to end several at once. It is 50 µs
// where nobody says anything else, and nothing of ours needs to know the time better than to a millisecond.
const timerSlack = time.Millisecond

// unhurried begins the program again with timerSlack if it has less. The runtime of Go keeps a thread that
// sleeps for 20 µs at a time while others work and for a millisecond after: with mail that waits for an
// engine, a seventh of all processor time goes to waking it. A thread has the slack of the one that made it,
// and that one is made before main is called; what execve(2) keeps it has from its beginning.
//
// Where it cannot be done the program goes on as it is, and is only dearer. The kernel says of a thread of a
// real-time class that it was done, and leaves it without any slack (seen with Linux 6.18): so what it has is asked
// again, or the program would begin for ever.
func unhurried() {
	runtime.LockOSThread() // the slack is that of a thread, and execve(2) keeps that of its caller
	defer runtime.UnlockOSThread()
	if slack() >= int(timerSlack) || unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(timerSlack), 0, 0, 0) != nil || slack() < int(timerSlack) {
		return
	}
	program, err := os.Executable()
	if err != nil {
		return
	}
	syscall.Exec(program, os.Args, os.Environ()) // returns only if it fails
}

// slack returns the timer slack of this thread, 0 where it cannot be told.
func slack() int {
	n, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil {
		return 0
	}
	return n
}
