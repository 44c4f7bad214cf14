package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/units"
)

// process is a child as its parent sees it.
type process struct {
	*channel
	cmd    *exec.Cmd
	in     *os.File // what the child sends
	out    *os.File // requests to the child
	errors tail
	jobs   int           // containers it was given
	idled  bool          // it has waited for work
	rest   *time.Timer   // ends it, if it waits for work for too long
	left   time.Duration // how long it may still be waited for
	memory units.Size    // it may use
	cpu    time.Duration // it may use in its life, 0 where each container has its own
	killed atomic.Bool   // by us
	ready  greeting
}

// start starts a child and reads its greeting. The child ends when stop is
// called, or by itself when its parent is gone. An error is a matter of this host.
func start(cfg Config) (*process, error) {
	p, err := launch(cfg)
	if err == nil {
		err = p.greet()
	}
	switch {
	case errors.Is(err, scan.ErrHost):
		return nil, fmt.Errorf("worker did not start: %w", err)
	case err != nil:
		return nil, fmt.Errorf("worker did not start: %w: %v", scan.ErrHost, err)
	}
	return p, nil
}

// launch starts a child.
func launch(cfg Config) (*process, error) {
	if os.Getenv(childVariable) != "" {
		return nil, errors.New("a child may not start children")
	}
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
	p := &process{in: in, out: out, left: cfg.Wall, memory: cfg.Memory}
	p.channel = newChannel(timed{p}, timed{p})
	p.cmd = exec.Command(cfg.Command[0], append(slices.Clone(cfg.Command[1:]), number(cfg.Memory))...)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = theirIn, theirOut, &p.errors
	// A child does one thing after the other. More processors would only be woken for nothing.
	p.cmd.Env = append([]string{"GOTRACEBACK=none", "GOMAXPROCS=1", childVariable + "=1"}, cfg.Env...)
	p.cmd.SysProcAttr = dieWithUs()
	err = p.cmd.Start()
	theirIn.Close()
	theirOut.Close()
	if err != nil {
		in.Close()
		out.Close()
		return nil, err
	}
	return p, nil
}

// childVariable is set in the environment of children. A program that does not know
// that it is one – a test without a TestMain – must not start more of itself.
const childVariable = "MILTERSCAN_CHILD"

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
		return p.stop(err)
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

// used returns how much CPU time the child has taken in its life.
func (p *process) used() time.Duration {
	if s := p.cmd.ProcessState; s != nil {
		return s.SystemTime() + s.UserTime()
	}
	return cpuOf(p.cmd.Process.Pid)
}

// cancelWith makes every wait for the child fail once ctx is done.
func (p *process) cancelWith(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() {
		p.in.Close()
		p.out.Close()
	})
}

// lastWords is how long a child that hung up may take to end, and so to show what
// ended it.
const lastWords = time.Second

// stop kills the child and says why it ended, err being how that was noticed. One
// that is about to end by itself is let end.
func (p *process) stop(err error) error {
	patience := time.Duration(0)
	if hungUp(err) {
		patience = lastWords
	}
	p.wait(patience)
	p.in.Close()
	p.out.Close()
	return p.why(err)
}

// hungUp reports whether an error says that the other end of a pipe is closed.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.EPIPE)
}

// wait waits for the child to end, and kills it when the patience is over.
func (p *process) wait(patience time.Duration) error {
	kill := time.AfterFunc(patience, func() {
		p.killed.Store(true)
		p.cmd.Process.Kill()
	})
	defer kill.Stop()
	return p.cmd.Wait()
}

// why returns the reason a child ended for, err being how that was noticed: one of
// its limits, something about this host, or else a fault of the child.
func (p *process) why(err error) error {
	state := p.cmd.ProcessState
	switch {
	case state == nil:
		return fmt.Errorf("%w: %v", scan.ErrHost, err)
	case state.ExitCode() == exitBusy:
		return errSlow
	case state.ExitCode() == exitCPU, endedBy(state, syscall.SIGXCPU), usedUp(state, p.cpu):
		return fmt.Errorf("%w: %w", errLimit, errCPU)
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, errTime):
		return fmt.Errorf("%w: %w", scan.ErrHost, errTime)
	case !p.killed.Load() && fromOutside(state):
		return fmt.Errorf("%w: the process that reads it was killed (%v)", scan.ErrHost, state)
	case p.errors.says("OS thread", "pthread_create", "temporarily unavailable", startWord):
		return fmt.Errorf("%w: %s", scan.ErrHost, p.errors.firstLine())
	case (p.errors.says("memory") || p.errors.brokenOff()) && !roomFor(p.memory): // the runtime says so in several ways
		return fmt.Errorf("%w: no memory for the process that reads it", scan.ErrHost)
	case p.errors.says("memory"), p.errors.brokenOff():
		return fmt.Errorf("%w: memory", errLimit)
	}
	return fmt.Errorf("%w (%v) %s", err, state, p.errors.firstLine())
}

// end waits for a program that has said all it has to say, err being what was
// wrong with that. It is given no more than the rest of its time.
func (p *process) end(err error) error {
	if err != nil {
		return p.stop(err)
	}
	p.in.Close()
	err = p.wait(max(p.left, 0))
	switch {
	case err != nil && p.killed.Load():
		return p.why(errTime)
	case err != nil:
		return p.why(errProgram)
	}
	return nil
}

var errProgram = errors.New("the program failed")

// fromOutside reports whether a process was ended by a signal that a process does not
// earn by what it does: the administrator's, or the kernel's when memory is short.
func fromOutside(s *os.ProcessState) bool {
	return endedBy(s, syscall.SIGKILL) || endedBy(s, syscall.SIGTERM) || endedBy(s, syscall.SIGINT) ||
		endedBy(s, syscall.SIGHUP) || endedBy(s, syscall.SIGQUIT)
}

func endedBy(s *os.ProcessState, signal syscall.Signal) bool {
	status, ok := s.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == signal
}

// errLimit says that a child was stopped for what it used.
var errLimit = errors.New("out of")

// What a child is out of: time that the container took, or that passed.
var (
	errCPU  = fmt.Errorf("CPU %w", errTime)
	errTime = errors.New("time")
)

// tail keeps the first bytes a child wrote to stderr: they give the reason.
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

// says reports whether one of the words is there.
func (t *tail) says(words ...string) bool {
	text := t.String()
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}

// brokenOff reports whether the Go runtime itself met memory that is not there, as it does
// where the kernel gave it none and it did not notice. What a program does wrong is a panic,
// and a signal that another process sent has no such code.
func (t *tail) brokenOff() bool {
	return t.says("SIGSEGV: segmentation violation\nPC=") && t.says("sigcode=1", "sigcode=2")
}

func (t *tail) firstLine() string {
	line, _, _ := strings.Cut(strings.TrimSpace(t.String()), "\n")
	return line[:min(len(line), 200)]
}
