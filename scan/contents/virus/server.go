package virus

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// restFor is how long a server that failed is left alone while there are others.
const restFor = 5 * time.Second

// server is a Server with its health.
type server struct {
	Server
	resting atomic.Int64 // Unix nanoseconds until which others are asked first
	memory  memory
	// together is what other hosts found clean; the zero value if they do not say.
	together together
}

func (s *server) rests(now time.Time) bool { return now.UnixNano() < s.resting.Load() }

// judge remembers whether the server can be relied on. That it refused one
// content says nothing about the next; neither does the caller's own haste or a
// content that could not be read or passed on.
func (s *server) judge(ctx context.Context, err error) {
	switch {
	case err == nil:
		s.resting.Store(0)
	case errors.Is(err, ErrTooBig), errors.Is(err, ErrDaemon), isOurs(err), errors.Is(ctx.Err(), context.Canceled):
	default:
		s.resting.Store(time.Now().Add(restFor).UnixNano())
	}
}

// answer has the questions answered by this server, within its share of the time
// that is left for it and those after it, which are left in number with it. A talk that went ahead
// goes on.
func (s *server) answer(ctx context.Context, all []*Question, left int, ahead Talk) error {
	if end, ok := ctx.Deadline(); ok && left > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(end)/time.Duration(left))
		defer cancel()
	}
	begun := time.Now()
	database := ""
	if v, ok := s.Server.(Versioned); ok {
		database = s.memory.database(ctx, v)
	}
	s.memory.recall(database, all)
	s.together.recall(ctx, database, unanswered(all))
	asked := unanswered(all)
	err := s.askAll(ctx, asked, ahead)
	s.judge(ctx, err)
	s.memory.keep(database, asked)
	if err == nil {
		s.together.keep(database, asked)
	}
	return late(ctx, begun, err)
}

// errLate is reported where the time for an answer ran out.
var errLate = errors.New("no answer")

// late says plainly that the time ran out, in place of the error of the connection
// that followed. An answer that makes no sense, or a part that cannot be read, is the
// better reason.
func late(ctx context.Context, begun time.Time, err error) error {
	if err == nil || !errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.Is(err, ErrDaemon) || errors.Is(err, ErrGarbage) || isOurs(err) {
		return err
	}
	end, _ := ctx.Deadline()
	return fmt.Errorf("%w within %v", errLate, roughly(end.Sub(begun)))
}

// roughly rounds a time for people: to seconds, or below them to milliseconds.
func roughly(d time.Duration) time.Duration {
	if d < time.Second {
		return d.Round(time.Millisecond)
	}
	return d.Round(time.Second)
}

// errUnanswered is reported for a server that said nothing and called it no error.
var errUnanswered = errors.New("it left questions without an answer")

// askAll goes on with the talk that there is, or asks in one session if the server has such, else one
// by one.
func (s *server) askAll(ctx context.Context, open []*Question, ahead Talk) error {
	session, ok := s.Server.(Session)
	if !ok {
		return askEach(ctx, s.Server, open)
	}
	ask := session.AskAll
	if ahead != nil {
		ask = ahead.AskAll
	}
	if err := ask(ctx, open); err != nil {
		return err
	}
	if len(unanswered(open)) > 0 {
		return errUnanswered
	}
	return nil
}

// askEach asks about one content after the other.
func askEach(ctx context.Context, s Server, open []*Question) error {
	for _, q := range open {
		signature, err := s.Ask(ctx, q.Content)
		switch {
		case errors.Is(err, ErrTooBig):
			q.TooBig()
		case err != nil:
			return err
		case signature != "":
			q.Infected(signature)
		default:
			q.Clean()
		}
	}
	return nil
}
