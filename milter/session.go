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
	agreed gomilter.OptProtocol

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
	*s = session{server: s.server, conn: s.conn, log: s.log, ctx: s.ctx, cancel: s.cancel, agreed: s.agreed, warned: s.warned}
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
	s.env.Times.Connect = s.env.Received
	return s.greet(scan.StageConnect, m)
}

func (s *session) helo(name string, m gomilter.Modifier) *gomilter.Response {
	s.drop()
	if s.judge == nil {
		return s.outOfPlace("helo")
	}
	s.env.Helo, s.env.Times.Helo = name, time.Now()
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

// pending returns what was begun for the connection.
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
	if s.conn.door.flights.closed() && stage < scan.StageMail {
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

// hungUp ends the session.
func (s *session) hungUp() {
	if s.msg != nil && s.msg.landed != nil {
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

// leading reports whether header values are wanted with the blank after the colon.
func leading(m gomilter.Modifier) bool { return m.Protocol()&gomilter.OptHeaderLeadingSpace != 0 }

// client returns the address the MTA was connected from. Sendmail and Postfix tell
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

// first returns the first of two strings that is not empty.
func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// orContinue returns the response, or what lets the MTA go on.
func orContinue(r *gomilter.Response) *gomilter.Response {
	if r != nil {
		return r
	}
	return gomilter.RespContinue
}
