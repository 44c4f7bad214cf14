package replay

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// ErrBusy says that another draft is being tried.
var ErrBusy = errors.New("another draft is being tried")

// Times in which a child ends that is told to, and bounds of what it says.
const (
	grace     = 30 * time.Second
	mostState = 16 << 20 // bytes of a State
	mostSaid  = 1 << 10  // of what a child says that dies
)

// Bench tries drafts, one at a time, each in a child that gives way to all else on the host, and remembers
// what the last one has shown. It may be used by several goroutines at once.
type Bench struct {
	File    string   // of the configuration in force
	Command []string // that leads to Main
	Warn    func(error)

	mu     sync.Mutex
	last   *attempt
	closed bool
}

// NewBench returns a bench for drafts of a configuration file.
func NewBench(file string, warn func(error)) *Bench {
	return &Bench{File: file, Command: []string{"/proc/self/exe", Word}, Warn: warn}
}

// Attempt is a trial, as persons see it.
type Attempt struct {
	Order
	By      string
	Begun   time.Time
	Ended   time.Time // zero while it goes on
	Stopped bool      // a person has ended it
	State   State
}

// attempt is a trial with its child.
type attempt struct {
	mu    sync.Mutex
	shown Attempt
	stdin io.Closer
	child *os.Process
	ended chan struct{}
}

// Begin has a draft tried. The error is ErrBusy while another one is.
func (b *Bench) Begin(o Order, by string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || b.last != nil && b.last.look().Ended.IsZero() {
		return ErrBusy
	}
	o.File = b.File
	a := &attempt{shown: Attempt{Order: o, By: by, Begun: time.Now()}, ended: make(chan struct{})}
	a.shown.Draft = "" // which is large, and was told
	cmd := exec.Command(b.Command[0], b.Command[1:]...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	cmd.SysProcAttr = ownGroup()
	var said beginning
	cmd.Stderr = &said
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	a.stdin, a.child = stdin, cmd.Process
	b.last = a
	go b.follow(a, o, cmd, stdin, stdout, &said)
	return nil
}

// follow gives a child its order, and takes what it says until it ends.
func (b *Bench) follow(a *attempt, o Order, cmd *exec.Cmd, stdin io.Writer, stdout io.Reader, said *beginning) {
	defer close(a.ended)
	limit := time.AfterFunc(longest+grace, func() { endGroup(cmd.Process) })
	defer limit.Stop()
	go json.NewEncoder(stdin).Encode(o) // a child that reads nothing must not hold up what it says
	err := a.listen(stdout)
	endGroup(cmd.Process) // which has said all, and what it has started
	err = errors.Join(err, cmd.Wait())
	a.mu.Lock()
	defer a.mu.Unlock()
	a.shown.Ended = time.Now()
	s := &a.shown.State
	if s.Done {
		return
	}
	s.Done, s.Error = true, "the process that judges the mail has ended"
	b.Warn(fmt.Errorf("the trial of a configuration has ended early: %w: %s", err, said.text()))
}

// listen takes one State after the other.
func (a *attempt) listen(stdout io.Reader) error {
	in := bufio.NewScanner(stdout)
	in.Buffer(nil, mostState)
	for in.Scan() {
		var s State
		if err := json.Unmarshal(in.Bytes(), &s); err != nil {
			return err
		}
		a.mu.Lock()
		a.shown.State = s
		a.mu.Unlock()
	}
	return in.Err()
}

func (a *attempt) look() Attempt {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.shown
}

// Last returns the trial that was begun last, and whether there is one.
func (b *Bench) Last() (Attempt, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.last == nil {
		return Attempt{}, false
	}
	return b.last.look(), true
}

// Cancel ends a trial that goes on, and reports whether there was one. What it has shown stays.
func (b *Bench) Cancel() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.last == nil || !b.last.look().Ended.IsZero() {
		return false
	}
	b.last.stop()
	return true
}

// stop tells the child to end.
func (a *attempt) stop() {
	a.mu.Lock()
	a.shown.Stopped = true
	a.mu.Unlock()
	a.stdin.Close()
	time.AfterFunc(grace, func() {
		if a.look().Ended.IsZero() {
			endGroup(a.child)
		}
	})
}

// Close ends a trial that goes on, and waits for it.
func (b *Bench) Close() {
	b.mu.Lock()
	last := b.last
	b.closed = true
	b.mu.Unlock()
	if last != nil {
		last.stop()
		<-last.ended
	}
}

// beginning keeps the first bytes that are written to it: a program that dies says there why.
type beginning struct {
	mu    sync.Mutex
	first []byte
}

// Write keeps what there is room for.
func (b *beginning) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.first = append(b.first, p[:min(len(p), mostSaid-len(b.first))]...)
	return len(p), nil
}

func (b *beginning) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.TrimSpace(string(b.first))
}
