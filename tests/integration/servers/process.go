package servers

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// process is a child process with its output in a file.
type process struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when it has ended
}

// run starts a program. If we die without cleaning up, it dies with us.
func run(t TB, log, path string, args ...string) *process {
	t.Helper()
	program, err := exec.LookPath(path)
	if err != nil {
		t.Fatalf("%s is not installed (.ci/packages installs it): %v", filepath.Base(path), err)
	}
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer out.Close()
	p := &process{cmd: exec.Command(program, args...), log: log, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := p.start(); err != nil {
		t.Fatalf("starting %s: %v", path, err)
	}
	return p
}

// start starts the process from a thread that stays until the process has ended:
// to the kernel a parent is a thread, and its end that of the parent.
func (p *process) start() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.cmd.Wait()
			close(p.done)
		}
	}()
	return <-started
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) signal(s syscall.Signal) { p.cmd.Process.Signal(s) }

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// ready waits until the process has done what it was started for.
func (p *process) ready(t TB, what string, done func() bool) {
	t.Helper()
	Await(t, what, func() bool {
		if p.ended() {
			t.Fatalf("ended while waiting for %s: %v\n%s", what, p.cmd.ProcessState, logTail(p.log))
		}
		return done()
	})
}

// stop asks the process to end, insists after a while, and returns when it is
// gone. A process that is gone already is fine.
func (p *process) stop() {
	p.signal(syscall.SIGCONT)
	p.signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(patience):
		p.kill()
	}
}

// kill ends the process at once, as a crash would.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}
