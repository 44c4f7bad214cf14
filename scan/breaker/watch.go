package breaker

import (
	"context"
	"time"
)

// Watch sees whether something can be used.
type Watch struct {
	Look   func(context.Context) error // returns why it cannot be used, nil if it can
	Matter func(error) string          // returns what is the matter, the same of errors that are not told apart; "" of none
	Tell   func(error)                 // takes what has changed
}

// Run looks at once and at every tick, until ctx is done, and tells each change. told is what was known before.
func (w Watch) Run(ctx context.Context, tick <-chan time.Time, told error) {
	for {
		err := w.Look(ctx)
		if ctx.Err() != nil {
			return
		}
		if w.Matter(err) != w.Matter(told) {
			w.Tell(err)
		}
		told = err
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
	}
}
