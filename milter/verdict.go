package milter

import (
	"errors"
	"fmt"
	"runtime/debug"

	gomilter "github.com/d--j/go-milter"
	"go.uber.org/zap"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
)

// endMessage has the message judged and does what the ruling says. Whatever
// goes wrong on the way is a temporary failure.
func (s *session) endMessage(m gomilter.Modifier) *gomilter.Response {
	if s.msg == nil {
		return s.outOfPlace("end of message")
	}
	defer s.drop()
	s.take("end of message", func(msg *message) error { return msg.endHeader(s.server.options) })
	if s.msg.refused != nil {
		return s.msg.refused
	}
	if len(s.msg.env.Recipients) == 0 {
		return s.outOfPlace("end of message without a recipient")
	}
	s.complete(m)
	return s.judged(s.msg.received(), m)
}

// complete takes what the MTA may have told late.
func (s *session) complete(m gomilter.Modifier) {
	env := &s.msg.env
	env.QueueID = first(m.Get(gomilter.MacroQueueId), env.QueueID)
	env.AuthUser = first(env.AuthUser, m.Get(gomilter.MacroAuthAuthen))
	env.TLS = env.TLS || m.Get(gomilter.MacroTlsVersion) != ""
}

// judged waits for the ruling and applies it.
func (s *session) judged(received scan.Received, m gomilter.Modifier) *gomilter.Response {
	var ruling policy.Ruling
	var release func()
	judge, ctx := s.msg.judge, s.msg.ctx
	err := s.await(m, func() { ruling, release = judge.Message(ctx, received) })
	if release == nil { // it panicked; nobody else will
		received.Raw.Close()
		release = func() {}
	}
	defer release()
	log := s.log.With(zap.String("id", ruling.ID), zap.String("queue_id", received.Envelope.QueueID))
	if err != nil {
		log.Error("message not answered", zap.Error(err), zap.Stringer("ruling", ruling.Answer))
		return unavailable
	}
	response, err := apply(ruling, m)
	if err != nil {
		log.Error("ruling cannot be applied; the MTA is asked to try again", zap.Error(err), zap.Stringer("ruling", ruling.Answer))
		return unavailable
	}
	return response
}

// errHungUp is a connection that ended while the MTA should have waited.
var errHungUp = errors.New("the MTA hung up before the answer")

// await runs work in a goroutine of its own, where a panic becomes an error,
// and stays with the MTA meanwhile: it tells it now and then that work goes on,
// and ends the session's context when it hangs up. Only this side ever uses m.
// It returns when work has returned.
func (s *session) await(m gomilter.Modifier, work func()) error {
	s.conn.flush()
	done, awake := make(chan struct{}), make(chan struct{})
	var failure error
	go func() {
		defer close(awake)
		defer s.conn.wake()
		defer close(done)
		defer func() { failure = panicError(recover()) }()
		work()
	}()
	lost := s.sitOut(m, done)
	<-awake
	return errors.Join(failure, lost)
}

// sitOut waits for done.
func (s *session) sitOut(m gomilter.Modifier, done <-chan struct{}) error {
	for {
		err := s.conn.watch(done, s.server.options.ProgressEvery)
		if errors.Is(err, errQuiet) {
			err = s.progress(m)
		} else if err == nil {
			return nil
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
