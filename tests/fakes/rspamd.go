package fakes

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Rspamd is an rspamd for tests, its workers that scan and its controller in one. The zero
// value is a good one to which everything is ham. The fields are read while it runs and must
// not change, but for those that a method sets.
type Rspamd struct {
	Spam     string // content that holds this has 17.5 points, by two symbols
	Password string // that a client must send; "" if none is needed
	Answer   string // the body of every answer
	Status   int    // of every answer; 0 for 200
	Hangup   bool   // connections are closed at once
	Mute     bool   // reads, says nothing
	Half     bool   // says how long the answer is, and gives half of it
	Learned  bool   // says of every message that it has learned it before
	Secure   bool   // speaks TLS

	server  *httptest.Server
	stopped chan struct{}
	mu      sync.Mutex
	asked   []*http.Request
	mails   [][]byte
}

// Start listens on TCP and returns the address as a configuration writes it. The test ends it.
func (s *Rspamd) Start(t testing.TB) string {
	t.Helper()
	return s.StartAt(t, "tcp", "127.0.0.1:0")
}

// StartAt listens where it is told, also on a unix socket.
func (s *Rspamd) StartAt(t testing.TB, network, where string) string {
	t.Helper()
	l, err := net.Listen(network, where)
	if err != nil {
		t.Fatalf("fake rspamd: %v", err)
	}
	s.stopped = make(chan struct{})
	s.server = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.server.Listener.Close()
	s.server.Listener = l
	s.server.Config.MaxHeaderBytes = 1 << 20
	if s.Secure {
		s.server.StartTLS()
	} else {
		s.server.Start()
	}
	t.Cleanup(func() {
		close(s.stopped)
		s.server.Close()
	})
	if network == "unix" {
		return "unix:" + where
	}
	return s.server.URL
}

// Certificate returns the certificate of a Secure one, in the form of x509.
func (s *Rspamd) Certificate() []byte { return s.server.Certificate().Raw }

// Got returns what it was asked, and the mail of each question.
func (s *Rspamd) Got() (asked []*http.Request, mails [][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked, s.mails
}

func (s *Rspamd) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case s.Hangup:
		panic(http.ErrAbortHandler)
	case s.Mute:
		select {
		case <-s.stopped:
		case <-r.Context().Done():
		}
		return
	}
	mail, err := io.ReadAll(r.Body)
	if err != nil || int64(len(mail)) != max(r.ContentLength, 0) {
		http.Error(w, "a message that is not whole", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.asked, s.mails = append(s.asked, r), append(s.mails, mail)
	s.mu.Unlock()
	status, answer := s.answer(r, mail)
	if s.Half {
		w.Header().Set("Content-Length", fmt.Sprint(2*len(answer)))
	}
	w.WriteHeader(status)
	io.WriteString(w, answer)
	if s.Half {
		panic(http.ErrAbortHandler)
	}
}

func (s *Rspamd) answer(r *http.Request, mail []byte) (int, string) {
	switch {
	case s.Password != "" && r.Header.Get("Password") != s.Password:
		return http.StatusUnauthorized, `{"error":"Unauthorized"}`
	case s.Answer != "" || s.Status != 0:
		return max(s.Status, http.StatusOK), s.Answer
	}
	switch r.URL.Path {
	case "/ping":
		return http.StatusOK, "pong\r\n"
	case "/checkv2":
		return http.StatusOK, s.scored(mail)
	case "/learnspam", "/learnham":
		if s.Learned {
			return http.StatusNotFound, `{"error":"<1@x> has been already learned as spam, ignore it"}`
		}
		return http.StatusOK, `{"success":true}`
	}
	return http.StatusNotFound, `{"error":"Invalid command"}`
}

func (s *Rspamd) scored(mail []byte) string {
	if s.Spam == "" || !bytes.Contains(mail, []byte(s.Spam)) {
		return `{"is_skipped":false,"score":-1.2,"required_score":15.0,"action":"no action","symbols":{},"messages":{},"time_real":0.1}`
	}
	return `{"is_skipped":false,"score":17.5,"required_score":15.0,"action":"reject","symbols":{` +
		`"FAKE_TWO":{"name":"FAKE_TWO","score":2.5,"metric_score":2.5},` +
		`"FAKE_ONE":{"name":"FAKE_ONE","score":15.0,"metric_score":15.0,"description":"a text for tests","options":["pills","more"]}},` +
		`"messages":{},"message-id":"1@x","time_real":0.1}`
}
