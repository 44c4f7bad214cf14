package quarantine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Bounds of what an index may be after.
const (
	mostChanges = 4096             // that wait to be told; the index misses further ones
	pause       = 5 * time.Second  // after the index has failed
	longest     = 10 * time.Second // for one change, and for all that wait when the end comes
)

// Later is an index that is told of changes after they were made, in their order:
// no message waits for an index, which can be made again at any time. Who searches
// sees what was changed before, if the index can be told soon.
type Later struct {
	Index
	warn func(error)

	mu      sync.Mutex
	waiting []change
	lost    int           // changes since the last warning
	done    chan struct{} // closed when nothing waits any more; nil while nothing does
	stop    chan struct{} // closed by Close
}

// change is something an index is to be told.
type change func(context.Context) error

// NewLater returns an index that passes changes on to x later. warn is called when x
// fails, once until it works again, and when it has missed changes.
func NewLater(x Index, warn func(error)) *Later {
	return &Later{Index: x, warn: warn, stop: make(chan struct{})}
}

// Put has a row added or replaced soon.
func (l *Later) Put(_ context.Context, r Row) error {
	l.tell(func(ctx context.Context) error { return l.Index.Put(ctx, r) })
	return nil
}

// Delete has a row removed soon.
func (l *Later) Delete(_ context.Context, id string) error {
	l.tell(func(ctx context.Context) error { return l.Index.Delete(ctx, id) })
	return nil
}

// Find asks the index when it knows every change, or cannot be told for a while.
func (l *Later) Find(ctx context.Context, f Filter) ([]Row, error) {
	l.mu.Lock()
	done := l.done
	l.mu.Unlock()
	if done != nil {
		enough := time.NewTimer(pause)
		defer enough.Stop()
		select {
		case <-done:
		case <-enough.C:
		case <-ctx.Done():
		}
	}
	return l.Index.Find(ctx, f)
}

// Close returns when the index has been told everything, or cannot be. A change
// that is put after Close is told again.
func (l *Later) Close() error {
	l.mu.Lock()
	done := l.done
	close(l.stop)
	l.mu.Unlock()
	if done != nil {
		<-done
	}
	l.mu.Lock()
	l.stop = make(chan struct{})
	l.mu.Unlock()
	return nil
}

// tell leaves a change to a goroutine, which is there as long as changes wait.
func (l *Later) tell(c change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == mostChanges {
		l.lost++
		return
	}
	l.waiting = append(l.waiting, c)
	if l.done == nil {
		l.done = make(chan struct{})
		go l.run(l.stop, l.done)
	}
}

func (l *Later) run(stop <-chan struct{}, done chan<- struct{}) {
	defer close(done)
	for failing := false; ; {
		c := l.next()
		if c == nil {
			return
		}
		err := within(longest, c)
		if err == nil {
			failing = false
			l.told()
			continue
		}
		if !failing {
			l.warn(outOfDate(err))
		}
		failing = true
		if !sleep(stop, pause) {
			l.rest(err)
			return
		}
	}
}

// next returns the change that has waited longest. Where there is none, the goroutine
// is over.
func (l *Later) next() change {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) > 0 {
		return l.waiting[0]
	}
	l.done = nil
	return nil
}

// told forgets the change that has waited longest, and says how many were missed.
func (l *Later) told() {
	l.mu.Lock()
	l.waiting = l.waiting[1:]
	lost := l.lost
	l.lost = 0
	l.mu.Unlock()
	if lost > 0 {
		l.warn(outOfDate(fmt.Errorf("%d changes are missing", lost)))
	}
}

// rest tries for the last time to tell what waits, after a failure.
func (l *Later) rest(err error) {
	l.mu.Lock()
	waiting, lost := l.waiting, l.lost
	l.waiting, l.lost, l.done = nil, 0, nil
	l.mu.Unlock()
	missed := within(longest, func(ctx context.Context) error {
		for i, c := range waiting {
			if err := c(ctx); err != nil {
				lost += len(waiting) - i
				return err
			}
		}
		return nil
	})
	if lost > 0 {
		l.warn(outOfDate(fmt.Errorf("%d changes are missing: %w", lost, errors.Join(missed, err))))
	}
}

// within gives a change some time.
func within(d time.Duration, c change) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return c(ctx)
}

// sleep reports whether it was left to sleep.
func sleep(stop <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-stop:
		return false
	}
}
