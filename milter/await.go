package milter

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	gomilter "github.com/d--j/go-milter"

	"github.com/milterscan/milterscan/scan/scratch"
)

// errHungUp is a connection that ended while the MTA should have waited.
var errHungUp = errors.New("the MTA hung up before the answer")

// await runs work in a separate goroutine, where a panic becomes an error,
// and stays with the MTA meanwhile: it tells it now and then that work goes on,
// and ends the session's context when it hangs up. Only this side ever uses m.
// It returns when work has returned.
func (s *session) await(m gomilter.Modifier, work func()) error {
	s.conn.flush()
	goOn, ok := s.conn.work()
	if !ok {
		return errHungUp
	}
	defer goOn()
	done, awake := make(chan struct{}), make(chan struct{})
	var failure error
	go func() {
		defer close(awake)
		defer s.conn.wake()
		defer close(done)
		defer func() { failure = panicError(recover()) }()
		scratch.Stack()
		work()
	}()
	lost := s.sitOut(m, done)
	<-awake
	return errors.Join(failure, lost)
}

// sitOut waits for done. When that takes longer than an answer may, the MTA hears
// nothing more, so that its own patience comes to an end.
func (s *session) sitOut(m gomilter.Modifier, done <-chan struct{}) error {
	late := time.Now().Add(s.server.options().AnswerWithin)
	for {
		err := s.conn.watch(done, s.server.options().ProgressEvery)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, errQuiet) && time.Now().After(late):
			continue
		case errors.Is(err, errQuiet):
			err = s.progress(m)
		}
		if err != nil {
			s.cancel()
			<-done
			return fmt.Errorf("%w: %w", errHungUp, err)
		}
	}
}

// progress tells the MTA that work goes on, if it understands that.
func (s *session) progress(m gomilter.Modifier) error {
	if m.Version() < progressVersion {
		return nil
	}
	if err := m.Progress(); err != nil {
		return err
	}
	return s.conn.flush()
}

// progressVersion is the first version with SMFIR_PROGRESS.
const progressVersion = 6

// panicError makes a panic an error, and nil nil.
func panicError(p any) error {
	if p == nil {
		return nil
	}
	return fmt.Errorf("panic: %v\n%s", p, debug.Stack())
}

// errQuiet is what watch returns when it is time for a sign of life.
var errQuiet = errors.New("nothing happened")

// watch waits until done is closed, and wake called after that; until the given
// time is over, with errQuiet; or until the MTA hangs up, with another error.
// Meanwhile the MTA is waiting, too, and has nothing to say.
func (c *conn) watch(done <-chan struct{}, until time.Duration) error {
	if c.err != nil {
		return c.err
	}
	c.raw.SetReadDeadline(time.Now().Add(until))
	for c.end-c.start < outputSize {
		select {
		case <-done:
			return nil
		default:
		}
		err := c.readAhead(c.end - c.start + 1)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return stillQuiet(done)
		}
		if c.fail(err); c.err != nil {
			return c.err
		}
	}
	c.fail(errors.New("the MTA goes on talking while it should wait for an answer"))
	return c.err
}

func stillQuiet(done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	default:
		return errQuiet
	}
}

// wake ends a watch whose done is closed. Any goroutine may call it.
func (c *conn) wake() { c.raw.SetReadDeadline(time.Unix(1, 0)) }
