package milter

import (
	"context"
	"sync"
)

// slots are the connections that may be open at once.
type slots struct {
	mu    sync.Mutex
	most  int
	taken int
	freed chan struct{} // closed when there may be room again
}

func newSlots(most int) *slots { return &slots{most: most, freed: make(chan struct{})} }

// tryTake takes a slot if one is free. If not, the channel tells when to try
// again.
func (s *slots) tryTake() (ok bool, freed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken < s.most {
		s.taken++
		return true, nil
	}
	return false, s.freed
}

// take waits for a slot. It reports whether it has one before ctx is done.
func (s *slots) take(ctx context.Context) bool {
	for {
		ok, freed := s.tryTake()
		if ok {
			return true
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return false
		}
	}
}

func (s *slots) give() { s.change(func() { s.taken-- }) }

// resize changes how many there are. Those that are taken stay so.
func (s *slots) resize(most int) { s.change(func() { s.most = most }) }

func (s *slots) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.freed)
	s.freed = make(chan struct{})
}
