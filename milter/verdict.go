package milter

import (
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
	s.take("end of message", func(msg *message) error { return msg.endHeader(msg.options) })
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
	if release == nil { // it panicked; no other code will
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
