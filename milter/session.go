package milter

import (
	"context"
	"net/netip"
	"strconv"
	"time"

	gomilter "github.com/d--j/go-milter"
	"go.uber.org/zap"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
)

// session is one SMTP session as the MTA tells it, run by one goroutine.
//
// It believes in no order of events: whatever is out of place is a temporary
// failure. What the MTA says about the connection is copied here at once, since
// the library forgets what came with HELO when a message ends.
type session struct {
	server *Server
	conn   *conn
	log    *zap.Logger
	ctx    context.Context // ends with the connection
	cancel context.CancelFunc

	judge  Judge         // current at connect; nil before
	env    scan.Envelope // what every message of the session begins with
	begun  [scan.StageMail]*scan.Pending
	barred [scan.StageMail]*gomilter.Response // by stage, why no message may begin
	msg    *message                           // nil between messages
	warned bool
}

// reset forgets everything, as at the start of an SMTP session.
func (s *session) reset() {
	s.drop()
	*s = session{server: s.server, conn: s.conn, log: s.log, ctx: s.ctx, cancel: s.cancel, warned: s.warned}
}

func (s *session) connect(host string, port uint16, addr string, m gomilter.Modifier) *gomilter.Response {
	s.reset()
	s.judge = s.server.current()
	s.env = scan.Envelope{
		Client:     client(addr, port, m),
		ClientName: first(m.Get(gomilter.MacroClientName), host),
		Listener:   m.Get(gomilter.MacroDaemonName),
		Received:   time.Now(),
	}
	return s.greet(scan.StageConnect, m)
}

func (s *session) helo(name string, m gomilter.Modifier) *gomilter.Response {
	s.drop()
	if s.judge == nil {
		return s.outOfPlace("helo")
	}
	s.env.Helo = name
	s.env.TLS = s.env.TLS || m.Get(gomilter.MacroTlsVersion) != ""
	return s.greet(scan.StageHelo, m)
}

// greet begins and decides a stage before any message. Until it is through, and
// so for good if it panics, no message may begin.
func (s *session) greet(stage scan.Stage, m gomilter.Modifier) *gomilter.Response {
	s.barred[stage] = unavailable
	s.begun[stage] = s.judge.Begin(s.ctx, stage, s.env)
	s.barred[stage] = s.ask(s.judge, stage, s.env, s.pending(), m)
	return orContinue(s.barred[stage])
}

// pending is what was begun for the connection.
func (s *session) pending() []*scan.Pending {
	var all []*scan.Pending
	for _, p := range s.begun {
		if p != nil {
			all = append(all, p)
		}
	}
	return all
}

// ask has the judge decide before the message, if it ever refuses at that stage
// and the MTA listens. nil means: go on.
func (s *session) ask(j Judge, stage scan.Stage, env scan.Envelope, begun []*scan.Pending, m gomilter.Modifier) *gomilter.Response {
	if s.server.flights.closed() && stage < scan.StageMail {
		return shuttingDown
	}
	if deaf(stage, m) || !j.Refuses(stage) {
		return nil
	}
	var r policy.Ruling
	if err := s.await(m, func() { r = j.Early(s.ctx, stage, env, begun) }); err != nil {
		s.log.Error("early decision failed", zap.Stringer("stage", stage), zap.Error(err))
		return unavailable
	}
	return refusal(r)
}

// deaf reports whether the MTA takes no reply at that stage.
func deaf(stage scan.Stage, m gomilter.Modifier) bool { return m.Protocol()&silence[stage] != 0 }

func (s *session) mail(from, args string, m gomilter.Modifier) *gomilter.Response {
	s.drop()
	if s.judge == nil {
		return s.outOfPlace("mail")
	}
	s.msg = s.newMessage(from, args, m)
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
	msg := &message{judge: s.server.current(), env: s.env, begun: s.pending()}
	msg.ctx, msg.cancel = context.WithCancel(s.ctx)
	msg.env.Sender = from
	msg.env.QueueID = m.Get(gomilter.MacroQueueId)
	msg.env.AuthUser = m.Get(gomilter.MacroAuthAuthen)
	msg.env.TLS = s.env.TLS || m.Get(gomilter.MacroTlsVersion) != ""
	msg.env.UTF8 = esmtp(args, "SMTPUTF8")
	msg.env.Received = time.Now()
	msg.raw, msg.parser = s.server.spool.Buffer(), msg.judge.NewParser()
	return msg
}

// admit says why a message must not begin; nil if it may.
func (s *session) admit(msg *message, m gomilter.Modifier) *gomilter.Response {
	for _, r := range s.barred {
		if r != nil {
			return r
		}
	}
	if !s.server.flights.takeOff() {
		return shuttingDown
	}
	msg.landed = s.server.flights.land
	msg.begun = append(msg.begun, msg.judge.Begin(msg.ctx, scan.StageMail, msg.env))
	return s.ask(msg.judge, scan.StageMail, msg.env, msg.begun, m)
}

func (s *session) rcpt(to string, m gomilter.Modifier) *gomilter.Response {
	if s.msg == nil {
		return s.outOfPlace("rcpt")
	}
	msg := s.msg
	if msg.refused != nil {
		return msg.refused
	}
	if len(msg.env.Recipients) >= s.server.options.MaxRecipients || msg.addresses+len(to) > maxRecipientBytes {
		return s.tooMany(msg, m)
	}
	msg.env.QueueID = first(m.Get(gomilter.MacroQueueId), msg.env.QueueID)
	msg.addresses += len(to)
	msg.env.Recipients = append(msg.env.Recipients, to)
	msg.begun = append(msg.begun, msg.judge.Begin(msg.ctx, scan.StageRcpt, msg.env))
	r := s.ask(msg.judge, scan.StageRcpt, msg.env, msg.begun, m)
	if r != nil {
		msg.env.Recipients = msg.env.Recipients[:len(msg.env.Recipients)-1]
		msg.begun = msg.begun[:len(msg.begun)-1]
	}
	return orContinue(r)
}

// tooMany refuses a recipient, or the message if the MTA does not listen.
func (s *session) tooMany(msg *message, m gomilter.Modifier) *gomilter.Response {
	if deaf(scan.StageRcpt, m) {
		s.log.Warn("message refused: too many recipients", zap.String("queue_id", msg.env.QueueID), zap.Int("limit", s.server.options.MaxRecipients))
		msg.refuse(tooManyRcpts)
	}
	return tooManyRcpts
}

func (s *session) data(m gomilter.Modifier) *gomilter.Response {
	return s.take("data", func(msg *message) error {
		msg.env.QueueID = first(m.Get(gomilter.MacroQueueId), msg.env.QueueID)
		return nil
	})
}

func (s *session) header(name, value string, m gomilter.Modifier) *gomilter.Response {
	return s.take("header", func(msg *message) error {
		return msg.header(name, value, leading(m), s.server.options)
	})
}

func (s *session) endHeader() *gomilter.Response {
	return s.take("end of header", func(msg *message) error { return msg.endHeader(s.server.options) })
}

func (s *session) body(chunk []byte) *gomilter.Response {
	return s.take("body", func(msg *message) error { return msg.body(chunk, s.server.options) })
}

// take has the message take its next piece. A message whose bytes cannot be
// kept is refused; what still comes of it is passed over.
func (s *session) take(event string, piece func(*message) error) *gomilter.Response {
	if s.msg == nil {
		return s.outOfPlace(event)
	}
	if s.msg.refused == nil {
		if err := piece(s.msg); err != nil {
			s.log.Error("message cannot be kept", zap.String("queue_id", s.msg.env.QueueID), zap.Error(err))
			s.msg.refuse(noStorage)
		}
	}
	return orContinue(s.msg.refused)
}

// drop ends the message, if there is one. It counts as in flight until what is
// said about it has been sent.
func (s *session) drop() {
	if s.msg == nil {
		return
	}
	s.msg.close()
	s.msg.cancel()
	if s.msg.landed != nil {
		s.conn.whenSent(s.msg.landed)
	}
	s.msg = nil
}

// spoil sees to it that a message half-understood goes nowhere.
func (s *session) spoil() {
	if s.msg != nil {
		s.msg.refuse(unavailable)
	}
}

// hungUp ends the session.
func (s *session) hungUp() {
	if s.msg != nil {
		s.log.Info("connection ended in mid-message", zap.String("queue_id", s.msg.env.QueueID), zap.String("sender", s.msg.env.Sender))
	}
	s.drop()
	s.cancel()
}

// outOfPlace answers an event that has no message to belong to. It is told once
// a session: who does it once does it often.
func (s *session) outOfPlace(event string) *gomilter.Response {
	if !s.warned {
		s.log.Warn("the MTA broke the order of events", zap.String("event", event))
	}
	s.warned = true
	return unavailable
}

// leading reports whether header values come, and are wanted, with the blank
// behind the colon.
func leading(m gomilter.Modifier) bool { return m.Protocol()&gomilter.OptHeaderLeadingSpace != 0 }

// client is the address the MTA was connected from. Sendmail and Postfix tell
// it with the connection, others perhaps by macro only.
func client(addr string, port uint16, m gomilter.Modifier) netip.AddrPort {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		ip, err = netip.ParseAddr(m.Get(gomilter.MacroClientAddr))
	}
	if err != nil {
		return netip.AddrPort{}
	}
	if port == 0 {
		n, _ := strconv.ParseUint(m.Get(gomilter.MacroClientPort), 10, 16)
		port = uint16(n)
	}
	return netip.AddrPortFrom(ip.Unmap(), port)
}

// first is the first of two strings that is not empty.
func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// orContinue is the response, or what lets the MTA go on.
func orContinue(r *gomilter.Response) *gomilter.Response {
	if r != nil {
		return r
	}
	return gomilter.RespContinue
}
