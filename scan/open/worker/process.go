package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a child as its parent sees it.
type process struct {
	*channel
	cmd    *exec.Cmd
	in     *os.File // what the child sends
	out    *os.File // what is sent to the child
	errors tail
	jobs   int           // containers it was given
	left   time.Duration // how long it may still be waited for
	ready  greeting
}

// start starts a child and reads its greeting. The child ends when stop is
// called, or by itself when its parent is gone.
func start(cfg Config) (*process, error) {
	theirIn, out, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	in, theirOut, err := os.Pipe()
	if err != nil {
		theirIn.Close()
		out.Close()
		return nil, err
	}
	p := &process{in: in, out: out, left: cfg.Wall}
	p.channel = newChannel(timed{p}, timed{p})
	p.cmd = exec.Command(cfg.Command[0], append(cfg.Command[1:], number(cfg.Memory))...)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = theirIn, theirOut, &p.errors
	p.cmd.Env = append([]string{"GOTRACEBACK=none"}, cfg.Env...)
	err = p.cmd.Start()
	theirIn.Close()
	theirOut.Close()
	if err != nil {
		in.Close()
		out.Close()
		return nil, err
	}
	return p, p.greet()
}

func number[T ~int64](n T) string { return strconv.FormatInt(int64(n), 10) }

// greet waits for the child to be ready; a child that is not is stopped.
func (p *process) greet() error {
	k, n, err := p.next()
	if err == nil && k != hello {
		err = errFrame
	}
	if err == nil {
		err = p.value(n, &p.ready)
	}
	if err != nil {
		return fmt.Errorf("worker did not start: %w", p.stop(err))
	}
	return nil
}

// timed reads from and writes to a child within the time that is left for it.
type timed struct{ p *process }

func (t timed) Read(b []byte) (int, error) {
	began := time.Now()
	t.p.in.SetReadDeadline(began.Add(t.p.left))
	n, err := t.p.in.Read(b)
	t.p.left -= time.Since(began)
	return n, err
}

func (t timed) Write(b []byte) (int, error) {
	began := time.Now()
	t.p.out.SetWriteDeadline(began.Add(t.p.left))
	n, err := t.p.out.Write(b)
	t.p.left -= time.Since(began)
	return n, err
}

// cancelWith makes every wait for the child fail once ctx is done.
func (p *process) cancelWith(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() {
		p.in.Close()
		p.out.Close()
	})
}

// stop kills the child and says why it ended, err being how that was noticed.
func (p *process) stop(err error) error {
	p.cmd.Process.Kill()
	p.cmd.Wait()
	p.in.Close()
	p.out.Close()
	return p.why(err)
}

// why is the reason a child ended for, err being how that was noticed.
func (p *process) why(err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w: time", errLimit)
	case p.cmd.ProcessState.ExitCode() == exitCPU || endedBy(p.cmd.ProcessState, syscall.SIGXCPU):
		return fmt.Errorf("%w: CPU time", errLimit)
	case strings.Contains(p.errors.String(), "memory"): // the runtime says so in several ways
		return fmt.Errorf("%w: memory", errLimit)
	}
	return fmt.Errorf("%w (%v) %s", err, p.cmd.ProcessState, p.errors.firstLine())
}

// end waits for a program that has said all it has to say, err being what was
// wrong with that. It is given no more than what is left of its time.
func (p *process) end(err error) error {
	if err != nil {
		return p.stop(err)
	}
	kill := time.AfterFunc(max(p.left, 0), func() { p.cmd.Process.Kill() })
	defer kill.Stop()
	p.in.Close()
	if err := p.cmd.Wait(); err != nil {
		return p.why(errProgram)
	}
	return nil
}

var errProgram = errors.New("the program failed")

func endedBy(s *os.ProcessState, signal syscall.Signal) bool {
	status, ok := s.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == signal
}

// errLimit says that a child was stopped for what it used.
var errLimit = errors.New("out of")

// tail keeps the first bytes a child wrote to stderr: the reason stands there.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p[:min(len(p), 4096-len(t.text))]...)
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}

func (t *tail) firstLine() string {
	line, _, _ := strings.Cut(strings.TrimSpace(t.String()), "\n")
	return line[:min(len(line), 200)]
}
