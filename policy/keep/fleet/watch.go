package fleet

import (
	"context"
	"time"

	"github.com/milterscan/milterscan/scan/breaker"
)

// Every is how often a daemon sees whether the tables can be used.
const Every = breaker.Rest

// prepareTime is how long a daemon may take to bring the tables up to date.
const prepareTime = 10 * time.Minute

// Watch sees to it that the tables can be used, until ctx is done. It tells each change: an error, or nil when they can.
// also is called each time that they can, and its error is told as well.
func (s *State) Watch(ctx context.Context, tick <-chan time.Time, tell func(error), also func(context.Context) error) {
	told := s.Ready()
	for {
		err := s.prepare(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = also(ctx)
		}
		if was := told; (err == nil) != (was == nil) || err != nil && err.Error() != was.Error() {
			tell(err)
		}
		told = err
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
	}
}

func (s *State) prepare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, prepareTime)
	defer cancel()
	return s.Prepare(ctx)
}
