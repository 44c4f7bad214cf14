package milter

import (
	"context"
	"time"

	gomilter "github.com/d--j/go-milter"
	"go.uber.org/zap"

	"github.com/milterscan/milterscan/scan"
)

func (s *session) mail(from, args string, m gomilter.Modifier) *gomilter.Response {
	s.drop()
	if s.judge == nil {
		return s.outOfPlace("mail")
	}
	s.msg = s.newMessage(from, args, m)
	s.conn.enter(hasEnvelope, s.conn.phase.Load().since)
	r := s.admit(s.msg, m)
	if r == nil {
		return gomilter.RespContinue
	}
	s.msg.refuse(r)
	if !deaf(scan.StageMail, m) {
		s.drop()
	}
	return r
}

// newMessage begins a message with the judge of now.
func (s *session) newMessage(from, args string, m gomilter.Modifier) *message {
	msg := &message{judge: s.server.current(), options: s.server.options(), env: s.env, begun: s.pending()}
	msg.ctx, msg.cancel = context.WithCancel(s.ctx)
	msg.env.Sender = from
	msg.env.QueueID = m.Get(gomilter.MacroQueueId)
	msg.env.AuthUser = m.Get(gomilter.MacroAuthAuthen)
	msg.env.TLS = s.env.TLS || m.Get(gomilter.MacroTlsVersion) != ""
	msg.env.UTF8 = esmtp(args, "SMTPUTF8")
	msg.env.Received = time.Now()
	msg.begin(s.server.spool.Buffer(), msg.judge.NewParser())
	return msg
}

// admit says why a message must not begin; nil if it may.
func (s *session) admit(msg *message, m gomilter.Modifier) *gomilter.Response {
	for _, r := range s.barred {
		if r != nil {
			return r
		}
	}
	if s.conn.door.flights.closed() {
		return shuttingDown
	}
	msg.begun = append(msg.begun, msg.judge.Begin(msg.ctx, scan.StageMail, msg.env))
	return s.ask(msg.judge, scan.StageMail, msg.env, msg.begun, m)
}

// notAfter ends a message that is in a later section already: the library does not see
// its content, and so does not know how far it has come.
func (s *session) notAfter(last section) {
	if s.msg != nil && s.msg.section > last {
		s.drop()
	}
}

func (s *session) rcpt(to string, m gomilter.Modifier) *gomilter.Response {
	s.notAfter(inEnvelope)
	if s.msg == nil {
		return s.outOfPlace("rcpt")
	}
	msg := s.msg
	if msg.refused != nil {
		return msg.refused
	}
	if len(msg.env.Recipients) >= msg.options.MaxRecipients || msg.addresses+len(to) > maxRecipientBytes {
		return s.tooMany(msg)
	}
	msg.env.QueueID = first(m.Get(gomilter.MacroQueueId), msg.env.QueueID)
	msg.addresses += len(to)
	msg.env.Recipients, msg.env.Times.Rcpt = append(msg.env.Recipients, to), time.Now()
	msg.begun = append(msg.begun, msg.judge.Begin(msg.ctx, scan.StageRcpt, msg.env))
	r := s.ask(msg.judge, scan.StageRcpt, msg.env, msg.begun, m)
	if r != nil {
		msg.env.Recipients = msg.env.Recipients[:len(msg.env.Recipients)-1]
		msg.begun = msg.begun[:len(msg.begun)-1]
	}
	return orContinue(r)
}

// tooMany refuses a recipient, to which every MTA takes a reply: see terms. The
// message goes on to the others, and is told of once.
func (s *session) tooMany(msg *message) *gomilter.Response {
	if !msg.crowded {
		s.log.Warn("recipients refused: too many in one message", zap.String("queue_id", msg.env.QueueID),
			zap.Int("limit", msg.options.MaxRecipients))
	}
	msg.crowded = true
	return tooManyRcpts
}

func (s *session) data(m gomilter.Modifier) *gomilter.Response {
	s.notAfter(inEnvelope)
	if s.msg == nil {
		return s.outOfPlace("data")
	}
	s.msg.env.QueueID = first(m.Get(gomilter.MacroQueueId), s.msg.env.QueueID)
	return orContinue(s.msg.refused)
}

func (s *session) header(name, value []byte) *gomilter.Response {
	s.notAfter(inHeader)
	return s.take("header", func(msg *message) error {
		return msg.header(name, value, s.agreed&gomilter.OptHeaderLeadingSpace != 0, msg.options)
	})
}

func (s *session) endHeader() *gomilter.Response {
	return s.take("end of header", func(msg *message) error { return msg.endHeader(msg.options) })
}

func (s *session) body(chunk []byte) *gomilter.Response {
	return s.take("body", func(msg *message) error { return msg.body(chunk, msg.options) })
}

// take has the message take its next piece. A message whose bytes cannot be
// kept is refused; what still comes of it is passed over.
func (s *session) take(event string, piece func(*message) error) *gomilter.Response {
	if s.msg == nil {
		return s.outOfPlace(event)
	}
	s.takeOff(s.msg)
	if s.msg.refused == nil {
		if err := piece(s.msg); err != nil {
			s.log.Error("message cannot be kept", zap.String("queue_id", s.msg.env.QueueID), zap.Error(err))
			s.msg.refuse(noStorage)
		}
	}
	return orContinue(s.msg.refused)
}

// takeOff has the message count as in flight, once, or refuses it if the server
// is shutting down. An envelope alone does not count: a client may take hours
// over it, and Postfix keeps RSET to itself until there is more to say. Content
// comes in one burst when the client has sent all of it.
func (s *session) takeOff(msg *message) {
	if msg.landed != nil || msg.refused != nil {
		return
	}
	if !s.conn.door.flights.takeOff() {
		msg.refuse(shuttingDown)
		return
	}
	msg.landed = s.conn.door.flights.land
	s.conn.enter(hasContent, time.Now())
}

// drop ends the message, if there is one. It counts as in flight until its
// answer has been sent.
func (s *session) drop() {
	if s.msg == nil {
		return
	}
	s.msg.close()
	s.msg.cancel()
	since := s.conn.phase.Load().since
	if s.msg.landed != nil {
		s.conn.whenSent(s.msg.landed)
		since = time.Now()
	}
	s.conn.enter(idle, since)
	s.msg = nil
}

// spoil sees to it that a message half-understood goes nowhere.
func (s *session) spoil() {
	if s.msg != nil {
		s.msg.refuse(unavailable)
	}
}
