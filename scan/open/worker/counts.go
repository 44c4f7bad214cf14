package worker

import (
	"errors"
	"maps"
	"sync"

	"github.com/milterscan/milterscan/scan"
)

// Counts are numbers of children that read archives.
type Counts struct {
	Busy    int            // archives that are read now
	Waiting int            // archives that wait for a child
	Idle    int            // children that wait for work
	Most    int            // archives that may be read at once
	Started int64          // children, since the pool began
	Ended   map[Reason]int // children and programs that did not end by themselves, since the pool began
}

// Reason says what ended a child while it read an archive.
type Reason string

// The reasons.
const (
	OutOfCPU    Reason = "cpu"     // it used the CPU time of a message
	OutOfTime   Reason = "time"    // it took too long, CPU time or not
	OutOfMemory Reason = "memory"  // it used the memory of a child
	OfHost      Reason = "host"    // it was killed from outside, or this host had no room for it
	Stopped     Reason = "stopped" // the archive met a limit of unpacking, or the message's time was over
	Crashed     Reason = "crash"   // it failed, or answered nonsense
)

// Reasons lists all reasons.
func Reasons() []Reason {
	return []Reason{OutOfCPU, OutOfTime, OutOfMemory, OfHost, Stopped, Crashed}
}

// reasonOf returns the reason in an error that says why a child ended.
func reasonOf(why error) Reason {
	switch {
	case errors.Is(why, errCPU):
		return OutOfCPU
	case errors.Is(why, errTime):
		return OutOfTime
	case errors.Is(why, errLimit):
		return OutOfMemory
	case errors.Is(why, scan.ErrHost):
		return OfHost
	}
	return Crashed
}

// tally counts what becomes of children.
type tally struct {
	mu      sync.Mutex
	started int64
	ended   map[Reason]int
}

func (t *tally) start() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.started++
}

func (t *tally) end(r Reason) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended == nil {
		t.ended = map[Reason]int{}
	}
	t.ended[r]++
}

// Counts returns the numbers of now.
func (p *Pool) Counts() Counts {
	c := Counts{Most: p.queue.most}
	c.Busy, c.Waiting = p.queue.numbers()
	p.mu.Lock()
	c.Idle = len(p.idle)
	p.mu.Unlock()
	p.tally.mu.Lock()
	defer p.tally.mu.Unlock()
	c.Started, c.Ended = p.tally.started, maps.Clone(p.tally.ended)
	return c
}

// start starts a child, and counts it if it is there.
func (p *Pool) start() (*process, error) {
	child, err := start(p.cfg)
	if err == nil {
		p.tally.start()
	}
	return child, err
}

// numbers returns how many walks have their turn, and how many wait for it.
func (q *queue) numbers() (busy, waiting int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.busy, len(q.waiting)
}
