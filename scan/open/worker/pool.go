package worker

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/units"
)

// Config says what children may use.
type Config struct {
	Command []string      // program and arguments that lead to Main; Main's own are added
	Env     []string      // environment; nothing is inherited
	Idle    time.Duration // a child that has waited for work for so long ends
	Most    int           // children at once
	Jobs    int           // containers a child reads before it is replaced
	Helper  string        // directory of unar and lsar, "" to do without
	Memory  units.Size    // of a child; a Go program starts with 60 MB
	Work    time.Duration // for the containers of a message, what was done to open it before included (archive.Price)
	CPU     time.Duration // that children may take for the containers of a message together: more, as hosts may be slow or busy
	Wall    time.Duration // to start, and again for one container, the time its members are looked at not counted
	// How long a container may wait until a child is free.
	Patience time.Duration
}

// Defaults returns limits under which the strongest presets of 7z, xz and rar can
// still be read, and no message costs more than its share. Work is counted, so that the
// same archive comes to the same on any host. What takes its time because this host is
// busy has more of it.
func Defaults() Config {
	return Config{
		Command: []string{"/proc/self/exe", "worker"}, Helper: FindHelper(),
		Idle: time.Minute, Most: 16, Jobs: 100,
		Memory: 192 * units.MB, Work: 1200 * time.Millisecond, CPU: 3 * time.Second, Wall: 30 * time.Second,
		Patience: 30 * time.Second,
	}
}

// Pool starts children when there is work for them, and has them wait a while for more. Any number
// of walks may use it at once.
type Pool struct {
	cfg      Config
	queue    *queue
	pictures chan struct{} // holds what looks for codes now
	tally    tally

	mu     sync.Mutex
	idle   []*process
	closed bool
}

// leastPictures is how many messages may be looked at for codes at once where there are fewer processors.
const leastPictures = 2

// NewPool returns a pool, which has no children yet. To be closed.
func NewPool(cfg Config) *Pool {
	return &Pool{cfg: cfg, queue: newQueue(cfg.Most), pictures: make(chan struct{}, max(leastPictures, runtime.GOMAXPROCS(0)))}
}

// Close stops the children that are idle; those at work stop when they are done.
func (p *Pool) Close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, child := range idle {
		child.rest.Stop()
		child.stop(nil)
	}
}

// Check starts a child and returns what the kernel could not take away from it,
// or why it does not start.
func (p *Pool) Check(ctx context.Context) ([]string, error) {
	b := new(archive.Budget)
	if err := p.turn(ctx, b, 0); err != nil {
		return nil, err
	}
	defer p.queue.leave(b)
	child, err := p.start()
	if err != nil {
		return nil, err
	}
	child.stop(nil)
	return child.ready.Unconfined, nil
}

// mostSpare bounds how many children wait for work: one for each message that may be looked at for
// codes, which are as many as processors.
const mostSpare = 4

// keep makes a child wait for work, or stops it if enough do.
func (p *Pool) keep(child *process) {
	p.mu.Lock()
	surplus := p.closed || len(p.idle) >= min(cap(p.pictures), mostSpare)
	if !surplus {
		child.idled = true
		child.rest = time.AfterFunc(p.cfg.Idle, func() { p.dismiss(child) })
		p.idle = append(p.idle, child)
	}
	p.mu.Unlock()
	if surplus {
		child.stop(nil)
	}
}

// dismiss stops a child that waits for work, unless it was given some at the last moment.
func (p *Pool) dismiss(child *process) {
	p.mu.Lock()
	at := slices.Index(p.idle, child)
	if at >= 0 {
		p.idle = slices.Delete(p.idle, at, at+1)
	}
	p.mu.Unlock()
	if at >= 0 {
		child.stop(nil)
	}
}

// turn waits for the turn of a container, but no longer than the patience of the pool.
func (p *Pool) turn(ctx context.Context, b *archive.Budget, size int64) error {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Patience)
	defer cancel()
	return p.queue.enter(ctx, b, size)
}

// take returns a child to read a container of a size with, which put takes back.
func (p *Pool) take(ctx context.Context, b *archive.Budget, size int64) (*process, error) {
	if err := p.turn(ctx, b, size); err != nil {
		return nil, err
	}
	if child := p.fromIdle(); child != nil {
		return child, nil
	}
	child, err := p.start()
	if err != nil {
		p.queue.leave(b)
		return nil, err
	}
	return child, nil
}

func (p *Pool) fromIdle() *process {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) == 0 {
		return nil
	}
	child := p.idle[len(p.idle)-1]
	p.idle = p.idle[:len(p.idle)-1]
	child.rest.Stop()
	return child
}

// put takes back a child that is fit for more work or has been stopped.
func (p *Pool) put(child *process, b *archive.Budget, fit bool) {
	p.queue.leave(b)
	switch {
	case fit && child.jobs < p.cfg.Jobs:
		p.keep(child)
	case fit:
		child.stop(nil)
	}
}

// Format returns f as it is read by the children of the pool.
func (p *Pool) Format(f archive.Format) archive.Format { return remote{f, p, &p.cfg} }

// Formats returns all formats of package archive, in their order, with those that
// need it read by the pool, and those that nothing of ours reads by the helper if
// it is there.
func (p *Pool) Formats() []archive.Format {
	all := archive.Formats()
	for i, f := range all {
		switch {
		case archive.Risky(f):
			all[i] = p.Format(f)
		case archive.Helped(f) && p.cfg.Helper != "":
			all[i] = helped{f, p}
		}
	}
	return all
}
