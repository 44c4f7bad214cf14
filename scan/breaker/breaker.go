// Package breaker keeps mail from waiting, one message after the other, for what has
// just made others wait in vain.
package breaker

import (
	"fmt"
	"sync"
	"time"
)

// Rest is how long nothing is asked after a failure.
const Rest = 10 * time.Second

// ErrRests is reported of what is not asked, as it made others wait in vain a moment ago.
var ErrRests = fmt.Errorf("it did not answer a moment ago; asked again within %v", Rest)

// Breaker lets one call try from time to time while calls fail, and all when they do
// not. The zero value lets all, and any number of goroutines may use it at once.
type Breaker struct {
	// Patience is how many calls may fail in a row before others are spared: one message
	// that its sender has made hard must not keep the next ones from being looked at. 0
	// is none.
	Patience int

	mu     sync.Mutex
	failed int       // in a row
	until  time.Time // no call tries; zero while calls do not fail
}

// MayTry reports whether the caller may try. A caller that may tells Note how it ended.
func (b *Breaker) MayTry(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.until.IsZero():
		return true
	case now.Before(b.until):
		return false
	}
	b.until = now.Add(Rest) // the others go on waiting for how it ends
	return true
}

// Note records how a call ended that MayTry admitted.
func (b *Breaker) Note(now time.Time, failed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !failed {
		b.failed, b.until = 0, time.Time{}
		return
	}
	if b.failed++; b.failed > b.Patience {
		b.until = now.Add(Rest)
	}
}
