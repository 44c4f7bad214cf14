package worker

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
)

// deepest is how many walks may be inside each other without ever waiting for each
// other: as deep as containers are opened by default, and the first.
const deepest = 9

// bytesPerSecond is what a slow decoder reads of a container: how long a walk takes
// is told by it before it is tried.
const bytesPerSecond = 2 << 20

// queue gives walks their turn: at most so many at once, and of those that wait, the
// one first whose message has cost and will cost the least. So messages that make
// children work hard wait for each other, and the others pass.
//
// A walk inside another is let in where those further out no longer are: the inner
// walk always ends, and the walk around it can go on.
type queue struct {
	most int

	mu      sync.Mutex
	busy    int
	within  map[*archive.Budget]int // walks that have their turn, by message
	waiting []*turn
}

// turn is a walk that waits.
type turn struct {
	budget *archive.Budget
	depth  int           // walks of its message around it
	cost   time.Duration // of its message so far, and what the container may take
	come   chan struct{} // closed when it is its turn
}

func newQueue(most int) *queue {
	return &queue{most: max(most, 1), within: map[*archive.Budget]int{}}
}

// enter waits for the turn of a walk over a container of a size, until ctx is done.
// Every turn is left.
func (q *queue) enter(ctx context.Context, b *archive.Budget, size int64) error {
	q.mu.Lock()
	t := &turn{budget: b, depth: q.within[b], come: make(chan struct{})}
	t.cost = b.Spent() + time.Duration(size)*time.Second/bytesPerSecond
	q.waiting = append(q.waiting, t)
	q.admit()
	q.mu.Unlock()
	select {
	case <-t.come:
		return nil
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case <-t.come: // just now
		return nil
	default:
	}
	for i, other := range q.waiting {
		if other == t {
			q.waiting = append(q.waiting[:i], q.waiting[i+1:]...)
			break
		}
	}
	return fmt.Errorf("%w: %d children that read archives are at work, %d archives wait", scan.ErrHost, q.busy, len(q.waiting)+1)
}

// leave ends a turn.
func (q *queue) leave(b *archive.Budget) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy--
	if q.within[b]--; q.within[b] <= 0 {
		delete(q.within, b)
	}
	q.admit()
}

// admit gives their turn to as many as there is room for, the cheapest first. The
// caller holds the lock.
func (q *queue) admit() {
	for {
		best := -1
		for i, t := range q.waiting {
			if q.busy < q.room(t.depth) && (best < 0 || t.cost < q.waiting[best].cost) {
				best = i
			}
		}
		if best < 0 {
			return
		}
		t := q.waiting[best]
		q.waiting = append(q.waiting[:best], q.waiting[best+1:]...)
		q.busy++
		q.within[t.budget]++
		close(t.come)
	}
}

// room returns how many walks may be at work when one at a depth is let in.
func (q *queue) room(depth int) int {
	inner := deepest - 1 - min(depth, deepest-1)
	return max(q.most-inner, min(depth+1, q.most))
}
