package virus

import (
	"sync"
	"time"
)

// Limits of sessions that rest. clamd takes no thread for them, ends them after its ReadTimeout (120 s), and
// lets connections wait while there are more than its MaxQueue (100).
const (
	restTime = 5 * time.Second // how long one rests; what is between us and clamd forgets none so soon
	lifeTime = time.Minute     // how old one is when it is asked for the last time, so that all balancers have their say
)

// resting holds the sessions of one clamd that wait for the next message. There are never more than messages
// were asked about at once.
type resting struct {
	hold, life time.Duration // restTime and lifeTime

	mu    sync.Mutex
	all   []*session // the one that was used last is at the end
	timer *time.Timer
}

func newResting() *resting { return &resting{hold: restTime, life: lifeTime} }

// take returns the session that was used last, nil if none rests. It belongs to the caller. What clamd
// says without being asked is its last word, or makes no sense.
func (r *resting) take() *session {
	s := r.last()
	if s == nil || quiet(s.conn) {
		return s
	}
	s.close()
	r.end() // the others most likely have ended too
	return nil
}

// any reports whether a session rests.
func (r *resting) any() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.all) > 0
}

// last takes the session that was used last.
func (r *resting) last() *session {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := len(r.all) - 1
	if last < 0 || time.Since(r.all[last].rests) > r.hold {
		return nil
	}
	s := r.all[last]
	r.all[last] = nil
	r.all = r.all[:last]
	return s
}

// add takes a session over on which nothing is under way, and closes it in time.
func (r *resting) add(s *session) {
	s.rests = time.Now()
	if s.late || s.rests.Sub(s.begun) > r.life {
		s.close()
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, s)
	if r.timer == nil {
		r.timer = time.AfterFunc(r.hold, r.sweep)
	}
}

// sweep closes the sessions that have rested long enough.
func (r *resting) sweep() {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, n := time.Now(), 0
	for n < len(r.all) && now.Sub(r.all[n].rests) >= r.hold {
		r.all[n].close()
		n++
	}
	r.all = append(r.all[:0:0], r.all[n:]...)
	if len(r.all) == 0 {
		r.timer = nil
		return
	}
	r.timer.Reset(r.hold - now.Sub(r.all[0].rests))
}

// end closes all sessions.
func (r *resting) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.all {
		s.close()
	}
	r.all = nil
}
