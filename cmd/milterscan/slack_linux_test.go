package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestUnhurried: the program is begun again once, as the same process, and all its threads wait with slack.
func TestUnhurried(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self, "-test.run=^TestUnhurriedChild$", "-test.v")
	c.Env = append(os.Environ(), "MILTERSCAN_UNHURRIED=begun")
	out, err := c.CombinedOutput()
	want := fmt.Sprintf("pid %d, begun again, slack %d", c.Process.Pid, timerSlack)
	if err != nil || !strings.Contains(string(out), want) {
		t.Errorf("no %q in %s, %v", want, out, err)
	}
}

// TestUnhurriedInRealTime: the kernel gives threads of a real-time class no slack, and the program begins once.
func TestUnhurriedInRealTime(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// A rank in that class is what the child inherits from the thread that starts it. The thread ends with this
	// goroutine, which does not unlock it.
	type result struct {
		out            []byte
		err, forbidden error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread()
		if err := unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: 1}, 0); err != nil {
			done <- result{forbidden: err}
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		c := exec.CommandContext(ctx, self, "-test.run=^TestUnhurriedChild$", "-test.v")
		c.Env = append(os.Environ(), "MILTERSCAN_UNHURRIED=begun")
		out, err := c.CombinedOutput()
		done <- result{out: out, err: err}
	}()
	switch r := <-done; {
	case r.forbidden != nil:
		t.Skip("no real-time class here: ", r.forbidden)
	case r.err != nil || !strings.Contains(string(r.out), ", slack ") || strings.Contains(string(r.out), "again again"):
		t.Errorf("%s, %v", r.out, r.err)
	}
}

// TestUnhurriedChild is the program of TestUnhurried.
func TestUnhurriedChild(t *testing.T) {
	begun := os.Getenv("MILTERSCAN_UNHURRIED")
	if begun == "" {
		t.Skip("for TestUnhurried")
	}
	os.Setenv("MILTERSCAN_UNHURRIED", begun+" again")
	unhurried()
	has := make(chan int)
	go func() {
		runtime.LockOSThread() // and no other goroutine gets this thread
		has <- slack()
	}()
	fmt.Printf("pid %d, %s, slack %d\n", os.Getpid(), begun, <-has)
}
