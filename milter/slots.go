package milter

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// slots shares the connections that may be open at once among the MTAs. Where all
// are in use, a free one goes to the MTA that has the fewest; and a connection that
// waits for its MTA gives way, soon if its MTA has more than the one that asks.
type slots struct {
	mu      sync.Mutex
	most    int
	held    map[string]int // slots by peer
	open    map[*conn]struct{}
	leaving int // of open, those that were told to give way
	waiting []*claim
}

// claim is a connection that waits for a slot.
type claim struct {
	peer    string
	settled chan bool // whether it has one; holds one value
}

func newSlots(most int) *slots {
	return &slots{most: most, held: map[string]int{}, open: map[*conn]struct{}{}}
}

// takeFree takes a slot, and reports whether one was free and no claim before it.
func (s *slots) takeFree(peer string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) > 0 || s.taken() >= s.most {
		return false
	}
	s.held[peer]++
	return true
}

// take waits for a slot. It reports whether it has one before ctx is done, or so
// many others wait that it must go. crowded is called if it has to wait, with
// whether it is the first.
func (s *slots) take(ctx context.Context, peer string, crowded func(first bool)) bool {
	c, first := s.join(peer)
	select {
	case ok := <-c.settled:
		return ok
	default:
		crowded(first)
	}
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		select {
		case ok := <-c.settled:
			return ok
		case <-tick.C:
			s.change(func() {})
		case <-ctx.Done():
			return s.leave(c)
		}
	}
}

// lookAgain is how often those that wait look for a connection that must give way.
const lookAgain = time.Second

// join puts a claim in the queue, and reports whether that was empty. As many may
// wait as may be open: of more, one of the peer with the most must go.
func (s *slots) join(peer string) (c *claim, first bool) {
	c = &claim{peer, make(chan bool, 1)}
	s.change(func() {
		first = len(s.waiting) == 0
		s.waiting = append(s.waiting, c)
		s.grant()
		if len(s.waiting) > s.most {
			s.sendAway()
		}
	})
	return c, first
}

// sendAway settles the oldest claim of the peer that has the most of them.
func (s *slots) sendAway() {
	claims := map[string]int{}
	for _, c := range s.waiting {
		claims[c.peer]++
	}
	oldest := slices.MaxFunc(s.waiting, func(a, b *claim) int { return cmp.Compare(claims[a.peer], claims[b.peer]) })
	s.settle(oldest, false)
}

// leave takes a claim back. A slot it has been given meanwhile goes to another.
func (s *slots) leave(c *claim) bool {
	s.change(func() {
		if i := slices.Index(s.waiting, c); i >= 0 {
			s.waiting = slices.Delete(s.waiting, i, i+1)
		} else if <-c.settled {
			s.release(c.peer)
		}
	})
	return false
}

// occupy says which connection has the slot.
func (s *slots) occupy(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[c] = struct{}{}
}

// give gives back the slot of a connection.
func (s *slots) give(c *conn) {
	s.change(func() {
		delete(s.open, c)
		if c.phase.Load().kind == gaveWay {
			s.leaving--
		}
		s.release(c.peer)
	})
}

// giveUnused gives back a slot that no connection came to have.
func (s *slots) giveUnused(peer string) { s.change(func() { s.release(peer) }) }

func (s *slots) release(peer string) {
	if s.held[peer]--; s.held[peer] == 0 {
		delete(s.held, peer)
	}
}

// resize changes how many there are. Those that are taken stay so.
func (s *slots) resize(most int) { s.change(func() { s.most = most }) }

// change makes a change, and then gives out the free slots. It has connections
// give way to those that still wait.
func (s *slots) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	s.grant()
	if s.leaving < len(s.waiting) && s.taken() >= s.most {
		s.makeWay(time.Now())
	}
}

func (s *slots) taken() (n int) {
	for _, held := range s.held {
		n += held
	}
	return n
}

// grant gives out the free slots.
func (s *slots) grant() {
	for len(s.waiting) > 0 && s.taken() < s.most {
		c := s.next()
		s.held[c.peer]++
		s.settle(c, true)
	}
}

// next returns the claim of the peer that has the fewest slots, the oldest of those.
func (s *slots) next() *claim {
	return slices.MinFunc(s.waiting, func(a, b *claim) int { return cmp.Compare(s.held[a.peer], s.held[b.peer]) })
}

func (s *slots) settle(c *claim, ok bool) {
	s.waiting = slices.DeleteFunc(s.waiting, func(other *claim) bool { return other == c })
	c.settled <- ok
}

// makeWay has one connection end in favour of the next claim, of those that have
// waited too long for their MTA.
func (s *slots) makeWay(now time.Time) {
	mine := s.held[s.next().peer]
	var victim *conn
	var seen *phase
	for c := range s.open {
		p := c.phase.Load()
		if p.mayStay(now, s.held[c.peer] > mine+1) {
			continue
		}
		if victim == nil || s.before(c, p, victim, seen) {
			victim, seen = c, p
		}
	}
	if victim != nil && victim.giveWay(seen) {
		s.leaving++
	}
}

// before reports whether one connection gives way rather than another: that of the
// MTA with more slots, then the one whose end costs less, then the one that has
// waited longer.
func (s *slots) before(c *conn, p *phase, other *conn, seen *phase) bool {
	return cmp.Or(
		cmp.Compare(s.held[other.peer], s.held[c.peer]),
		cmp.Compare(p.kind, seen.kind),
		p.since.Compare(seen.since),
	) < 0
}
