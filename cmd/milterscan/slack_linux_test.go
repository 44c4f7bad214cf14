package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

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

// TestUnhurriedChild is the program of TestUnhurried.
func TestUnhurriedChild(t *testing.T) {
	begun := os.Getenv("MILTERSCAN_UNHURRIED")
	if begun == "" {
		t.Skip("for TestUnhurried")
	}
	os.Setenv("MILTERSCAN_UNHURRIED", begun+" again")
	unhurried()
	slack := make(chan int)
	go func() {
		runtime.LockOSThread() // and no other goroutine gets this thread
		n, _ := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
		slack <- n
	}()
	fmt.Printf("pid %d, %s, slack %d\n", os.Getpid(), begun, <-slack)
}
