package main

import (
	"os"
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
// Where it cannot be done the program goes on as it is, and is only dearer.
func unhurried() {
	has, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil || has >= int(timerSlack) {
		return
	}
	program, err := os.Executable()
	if err != nil || unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(timerSlack), 0, 0, 0) != nil {
		return
	}
	syscall.Exec(program, os.Args, os.Environ()) // returns only if it fails
}
