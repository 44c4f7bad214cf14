// Package mta is the MTA's side of the milter protocol, for tests that want a
// milter to see many messages in a short time: no SMTP, no queue, no disk.
package mta

import (
	"bufio"
	"cmp"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/d--j/go-milter"
)

// Answer is what the milter said in the end.
type Answer string

// The answers, as an MTA understands them. Broken: the connection ended, or
// what came over it was no answer.
const (
	Accepted  Answer = "accepted"
	Refused   Answer = "refused"
	Deferred  Answer = "deferred"
	Discarded Answer = "discarded"
	Broken    Answer = "broken"
)

// patience is how long a milter may take for one answer.
const patience = 5 * time.Minute

// Session is one connection to a milter, for one SMTP session.
type Session struct{ milter *milter.ClientSession }

// Dial connects to the milter and introduces a client at 192.0.2.1.
func Dial(network, address string) (*Session, error) {
	client := milter.NewClient(network, address, milter.WithDialer(dialer{}),
		milter.WithReadTimeout(patience), milter.WithWriteTimeout(patience))
	s, err := client.Session(milter.NewMacroBag())
	if err != nil {
		return nil, err
	}
	if a, err := s.Conn("mail.example.org", milter.FamilyInet, 40000, "192.0.2.1"); err != nil || a.StopProcessing() {
		s.Close()
		return nil, fmt.Errorf("connect: %v, %v", a, err)
	}
	if a, err := s.Helo("mail.example.org"); err != nil || a.StopProcessing() {
		s.Close()
		return nil, fmt.Errorf("helo: %v, %v", a, err)
	}
	return &Session{milter: s}, nil
}

// Close ends the session as an MTA does after QUIT.
func (s *Session) Close() { s.milter.Close() }

// Abort gives up the message that was begun, as an MTA does after RSET.
func (s *Session) Abort() error { return s.milter.Abort(nil) }

// Delivery is what became of one message.
type Delivery struct {
	Answer    Answer
	Recipient time.Duration // between RCPT and its answer
	End       time.Duration // between the last byte and the answer; 0 if the answer came sooner
}

// Deliver puts one message to the milter. The times are what an SMTP client would wait for longer.
func (s *Session) Deliver(m *Message) (d Delivery) {
	a, err := s.begin(m, &d.Recipient)
	if err == nil && a.Type == milter.ActionContinue {
		begun := time.Now()
		_, a, err = s.milter.End()
		d.End = time.Since(begun)
	}
	d.Answer = answer(a, err)
	return d
}

// Begin puts a message to the milter except for its end.
func (s *Session) Begin(m *Message) (*milter.Action, error) { return s.begin(m, new(time.Duration)) }

// begin also takes the time that the recipient waits.
func (s *Session) begin(m *Message, recipient *time.Duration) (*milter.Action, error) {
	steps := []func() (*milter.Action, error){
		func() (*milter.Action, error) { return s.milter.Mail(cmp.Or(m.Sender, "sender@example.org"), "") },
		func() (*milter.Action, error) {
			begun := time.Now()
			defer func() { *recipient = time.Since(begun) }()
			return s.milter.Rcpt("user@test.local", "")
		},
		s.milter.DataStart,
		func() (*milter.Action, error) { return s.header(m) },
		s.milter.HeaderEnd,
		func() (*milter.Action, error) { return s.body(m) },
	}
	for _, step := range steps {
		if a, err := step(); err != nil || a.Type != milter.ActionContinue {
			return a, err
		}
	}
	return &milter.Action{Type: milter.ActionContinue}, nil
}

func (s *Session) header(m *Message) (*milter.Action, error) {
	for _, f := range m.header {
		if a, err := s.milter.HeaderField(f.name, f.value, nil); err != nil || a.Type != milter.ActionContinue {
			return a, err
		}
	}
	return &milter.Action{Type: milter.ActionContinue}, nil
}

// chunk is how much of a body Postfix and Sendmail send at once.
const chunk = 65535

func (s *Session) body(m *Message) (*milter.Action, error) {
	for rest := m.body; ; {
		n := min(chunk, len(rest))
		a, err := s.milter.BodyChunk(rest[:n])
		rest = rest[n:]
		if err != nil || a.Type != milter.ActionContinue || len(rest) == 0 {
			return a, err
		}
	}
}

func answer(a *milter.Action, err error) Answer {
	if err != nil {
		return Broken
	}
	switch a.Type {
	case milter.ActionAccept, milter.ActionContinue:
		return Accepted
	case milter.ActionDiscard:
		return Discarded
	case milter.ActionTempFail:
		return Deferred
	case milter.ActionReject, milter.ActionRejectWithCode:
		if a.SMTPCode < 500 {
			return Deferred
		}
		return Refused
	}
	return Broken
}

// Message is a mail, split as the protocol wants it.
type Message struct {
	Sender string // of the envelope; "" for the same of all

	header []field
	body   []byte
}

type field struct{ name, value string }

// Split makes a Message of a mail with CRLF line ends. Values keep their leading
// blank; folds in them become LF, as MTAs send them.
func Split(mail []byte) *Message {
	header, body, _ := strings.Cut(string(mail), "\r\n\r\n")
	header = strings.NewReplacer("\r\n ", "\n ", "\r\n\t", "\n\t").Replace(header)
	m := &Message{body: []byte(body)}
	for line := range strings.SplitSeq(header, "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		m.header = append(m.header, field{name, value})
	}
	return m
}

// dialer makes connections that send what was written only when an answer is
// waited for, in large pieces, as MTAs do.
type dialer struct{}

func (dialer) Dial(network, address string) (net.Conn, error) {
	c, err := net.DialTimeout(network, address, patience)
	if err != nil {
		return nil, err
	}
	return &batchedConn{Conn: c, out: bufio.NewWriterSize(c, 64<<10)}, nil
}

type batchedConn struct {
	net.Conn
	out *bufio.Writer
}

func (c *batchedConn) Write(p []byte) (int, error) { return c.out.Write(p) }

func (c *batchedConn) Read(p []byte) (int, error) {
	if err := c.out.Flush(); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c *batchedConn) Close() error {
	c.out.Flush()
	return c.Conn.Close()
}
