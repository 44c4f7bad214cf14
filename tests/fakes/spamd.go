package fakes

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Spamd is a spamd for tests. The zero value is a good one to which everything is
// ham. The fields are read while it runs and must not change.
type Spamd struct {
	Spam    string // content that holds this has 7.5 points, by two rules
	Answer  string // written instead of every answer
	Hangup  bool   // connections are closed at once
	Mute    bool   // reads, says nothing
	Refuses bool   // answers before it has read the mail, and reads no more
	Deaf    bool   // does not let itself be taught

	net     net.Listener
	work    sync.WaitGroup
	stopped chan struct{}
	mu      sync.Mutex
	heads   []string
	mails   [][]byte
}

// Start listens on TCP and returns the address as a configuration writes it. The
// test ends it.
func (s *Spamd) Start(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("fake spamd: %v", err)
	}
	s.net, s.stopped = l, make(chan struct{})
	s.work.Go(s.accept)
	t.Cleanup(func() {
		l.Close()
		close(s.stopped)
		s.work.Wait()
	})
	return "tcp:" + l.Addr().String()
}

// Got returns what it was asked: the head of each question, and the mail.
func (s *Spamd) Got() (heads []string, mails [][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heads, s.mails
}

func (s *Spamd) accept() {
	for {
		conn, err := s.net.Accept()
		if err != nil {
			return
		}
		s.work.Go(func() {
			defer conn.Close()
			s.serve(conn)
		})
	}
}

func (s *Spamd) serve(conn net.Conn) {
	switch {
	case s.Hangup:
		return
	case s.Mute:
		<-s.stopped
		return
	}
	in := bufio.NewReader(conn)
	head, length := "", 0
	for !strings.HasSuffix(head, "\r\n\r\n") {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		head += line
		if n, ok := strings.CutPrefix(line, "Content-length: "); ok {
			length, _ = strconv.Atoi(strings.TrimSpace(n))
		}
	}
	if s.Refuses {
		io.WriteString(conn, s.Answer)
		return
	}
	mail, err := io.ReadAll(in)
	if err != nil || len(mail) != length {
		io.WriteString(conn, "SPAMD/1.0 76 Bad header line: (Content-Length mismatch)\r\n")
		return
	}
	s.mu.Lock()
	s.heads, s.mails = append(s.heads, head), append(s.mails, mail)
	s.mu.Unlock()
	io.WriteString(conn, s.answer(head, mail))
}

func (s *Spamd) answer(head string, mail []byte) string {
	switch {
	case s.Answer != "":
		return s.Answer
	case strings.HasPrefix(head, "PING"):
		return "SPAMD/1.5 0 PONG\r\n"
	case strings.HasPrefix(head, "TELL") && s.Deaf:
		return "SPAMD/1.0 69 Service Unavailable: TELL commands are not enabled, set the --allow-tell switch.\r\n"
	case strings.HasPrefix(head, "TELL"):
		return "SPAMD/1.1 0 EX_OK\r\nDidSet: local\r\nContent-length: 2\r\n\r\n\r\n"
	}
	verdict, rules := "False ; -1.2 / 5.0", ""
	if s.Spam != "" && bytes.Contains(mail, []byte(s.Spam)) {
		verdict, rules = "True ; 7.5 / 5.0", "FAKE_ONE,FAKE_TWO"
	}
	return fmt.Sprintf("SPAMD/1.1 0 EX_OK\r\nContent-length: %d\r\nSpam: %s\r\n\r\n%s", len(rules), verdict, rules)
}
