package fleet

import (
	"context"
	"errors"
	"time"

	"github.com/milterscan/milterscan/policy/keep/postgres"
	"github.com/milterscan/milterscan/scan/breaker"
)

// Every is how often a daemon sees whether the tables can be used.
const Every = breaker.Rest

// prepareTime is how long a daemon may take to bring the tables up to date.
const prepareTime = 10 * time.Minute

// Watch sees to it that the tables can be used, until ctx is done. It tells each change: an error, or nil when they can. Of a
// database that is away it is told once, in however many ways it does not answer. also is called each time that the tables can be used,
// and its error is told as well.
func (s *State) Watch(ctx context.Context, tick <-chan time.Time, tell func(error), also func(context.Context) error) {
	breaker.Watch{Matter: reason, Tell: tell, Look: func(ctx context.Context) error {
		if err := s.prepare(ctx); err != nil {
			return err
		}
		return also(ctx)
	}}.Run(ctx, tick, s.Ready())
}

// reason returns what is the matter, so that two errors can be compared that say it with different words, times and ports. "" is
// nothing.
func reason(err error) string {
	var ours refusal
	switch {
	case err == nil:
		return ""
	case errors.As(err, &ours):
		return ours.Error()
	case errors.Is(err, ErrOld):
		return "old"
	case postgres.Unknown(err):
		return "unknown"
	case postgres.Away(err):
		return "away"
	}
	return postgres.Code(err)
}

func (s *State) prepare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, prepareTime)
	defer cancel()
	return s.Prepare(ctx)
}
