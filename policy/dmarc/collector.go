package dmarc

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan/sender/auth"
)

// mostWaiting bounds the rows in memory, and so the loss if the process is killed.
const mostWaiting = 20_000

// Collector counts messages, in memory first: mail never waits for the file. Its zero value is
// empty; any number of goroutines may use it.
type Collector struct {
	mu      sync.Mutex
	waiting map[place]*count
	lost    atomic.Int64
}

// place is where a row belongs.
type place struct {
	day    day
	domain string
	row    [sha256.Size]byte
}

// count is a row and how often it was there.
type count struct {
	row    []byte
	policy auth.Published
	n      int64
}

// Note counts a message.
func (c *Collector) Note(e *auth.Evaluation, d policy.Decision, now time.Time) {
	r, ok := rowOf(e, d)
	if !ok {
		return
	}
	sum, text := r.sum()
	c.add(place{dayOf(now), e.Policy.Domain, sum}, count{text, e.Policy, 1})
}

func (c *Collector) add(at place, more count) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.waiting[at]; known != nil {
		known.n += more.n
		known.policy = more.policy
		return
	}
	if len(c.waiting) >= mostWaiting {
		c.lost.Add(more.n)
		return
	}
	if c.waiting == nil {
		c.waiting = map[place]*count{}
	}
	c.waiting[at] = &more
}

// Lost returns how many messages no report counts, as there was no room.
func (c *Collector) Lost() int64 { return c.lost.Load() }

// Flush writes down what was counted, and brings it to where it is reported. What fails is tried again with the next
// call; the error is ErrUnshared if all is written down.
func (c *Collector) Flush(ctx context.Context, s Store, terms Config, now time.Time) error {
	c.mu.Lock()
	lot := c.waiting
	c.waiting = nil
	c.mu.Unlock()
	if len(lot) > 0 {
		lost, err := s.add(ctx, lot, terms)
		c.lost.Add(lost)
		if err != nil {
			for at, n := range lot {
				c.add(at, *n)
			}
			return err
		}
	}
	lost, err := s.forward(ctx, terms, now)
	c.lost.Add(lost)
	return err
}

// published writes a policy as the store keeps it.
func published(p auth.Published) string {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and flags can be written
	}
	return string(text)
}
