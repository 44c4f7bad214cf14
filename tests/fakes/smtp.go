package fakes

import (
	"bufio"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
)

// SMTP is a server that takes mail and keeps it for the test. Its zero value
// takes everything.
type SMTP struct {
	// Replies are given instead of the usual ones, by the word of the command:
	// "MAIL", "RCPT", "DATA", or "." for the end of the data. The reply "hang up"
	// closes the connection.
	Replies map[string]string

	mu   sync.Mutex
	mail []Mail
}

// Mail is what a server got.
type Mail struct {
	From string   // with its parameters: "<a@example.net> BODY=8BITMIME"
	To   []string // likewise
	Data string   // with CRLF, dots undone
}

// Start returns the address of a server that ends with the test.
func (s *SMTP) Start(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var sessions sync.WaitGroup
	sessions.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			sessions.Go(func() { defer conn.Close(); s.serve(conn) })
		}
	})
	t.Cleanup(func() { l.Close(); sessions.Wait() })
	return l.Addr().String()
}

// Got returns all mail so far.
func (s *SMTP) Got() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mail...)
}

// Reply changes a reply; "" for the usual one.
func (s *SMTP) Reply(command, reply string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Replies == nil {
		s.Replies = map[string]string{}
	}
	s.Replies[command] = reply
}

// special returns the reply to a command, if it is not the usual one.
func (s *SMTP) special(command string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Replies[command]
}

func (s *SMTP) serve(conn net.Conn) {
	r := textproto.NewReader(bufio.NewReader(conn))
	w := textproto.NewWriter(bufio.NewWriter(conn))
	w.PrintfLine("220 sink.example.com ESMTP")
	var m Mail
	for {
		line, err := r.ReadLine()
		if err != nil {
			return
		}
		word, rest, _ := strings.Cut(line, " ")
		if !s.obey(word, rest, &m, r, w) {
			return
		}
	}
}

// obey carries out one command and reports whether more may follow.
func (s *SMTP) obey(word, rest string, m *Mail, r *textproto.Reader, w *textproto.Writer) bool {
	if reply := s.special(word); reply != "" {
		return say(w, reply)
	}
	switch word {
	case "EHLO":
		w.PrintfLine("250-sink.example.com")
		w.PrintfLine("250-8BITMIME")
		w.PrintfLine("250 SMTPUTF8")
	case "MAIL":
		*m = Mail{From: strings.TrimPrefix(rest, "FROM:")}
		w.PrintfLine("250 2.1.0 Ok")
	case "RCPT":
		m.To = append(m.To, strings.TrimPrefix(rest, "TO:"))
		w.PrintfLine("250 2.1.5 Ok")
	case "DATA":
		return s.data(m, r, w)
	case "QUIT":
		w.PrintfLine("221 2.0.0 Bye")
		return false
	default:
		w.PrintfLine("250 2.0.0 Ok")
	}
	return true
}

// say replies, or hangs up.
func say(w *textproto.Writer, reply string) bool {
	if reply == "hang up" {
		return false
	}
	w.PrintfLine("%s", reply)
	return true
}

func (s *SMTP) data(m *Mail, r *textproto.Reader, w *textproto.Writer) bool {
	w.PrintfLine("354 End with a dot")
	var b strings.Builder
	for {
		line, err := r.R.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
	m.Data = b.String()
	if reply := s.special("."); reply != "" {
		return say(w, reply)
	}
	s.mu.Lock()
	s.mail = append(s.mail, *m)
	s.mu.Unlock()
	w.PrintfLine("250 2.0.0 Taken")
	return true
}
