package virus

import (
	"sync"
	"time"
)

// mostVerdicts bounds the contents whose answer is remembered, at some 200 bytes each.
const mostVerdicts = 10_000

// verdicts remembers what a service has said about contents, and which jobs go on. Of more than there
// is room for the oldest are forgotten.
type verdicts struct {
	mu    sync.Mutex
	hold  time.Duration
	now   func() time.Time
	known map[sum]remembered
	order []sum // as they came in; one that came in again is there twice
}

// remembered is an answer with the time until which it holds.
type remembered struct {
	answer
	until time.Time
}

func newVerdicts(hold time.Duration) *verdicts {
	return &verdicts{hold: hold, now: time.Now, known: map[sum]remembered{}}
}

// of returns the answer about a content, if one is remembered.
func (v *verdicts) of(s sum) (answer, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	r, ok := v.known[s]
	if !ok || v.now().After(r.until) {
		return answer{}, false
	}
	return r.answer, true
}

// keep remembers an answer.
func (v *verdicts) keep(s sum, a answer) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, ok := v.known[s]; !ok {
		v.order = append(v.order, s)
	}
	v.known[s] = remembered{a, v.now().Add(v.hold)}
	for len(v.known) > mostVerdicts || len(v.order) > 2*mostVerdicts {
		delete(v.known, v.order[0])
		v.order = v.order[1:]
	}
}

// forget forgets the answer about a content.
func (v *verdicts) forget(s sum) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.known, s)
}
