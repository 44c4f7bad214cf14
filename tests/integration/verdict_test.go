package integration

import (
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/tests/integration/servers"
)

// slowBox is a sandbox over TLS that has no verdict before it is told to, loses jobs, and now and then answers
// nonsense.
type slowBox struct {
	mu        sync.Mutex
	jobs      map[string]string // the content of each
	done      bool
	asked     int
	submitted int
}

func (s *slowBox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodPost {
		s.submitted++
		id := fmt.Sprint("job", s.submitted)
		s.jobs[id] = string(text)
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintf(w, `{"id": %q}`, id)
		return
	}
	s.asked++
	content, ok := s.jobs[strings.TrimPrefix(r.URL.Path, "/jobs/")]
	switch {
	case !ok:
		http.NotFound(w, r)
	case s.asked%5 == 0:
		http.Error(w, "<html>try later", http.StatusInternalServerError)
	case !s.done:
		fmt.Fprint(w, `{"verdict": "pending"}`)
	case strings.Contains(content, "wicked"):
		fmt.Fprint(w, `{"verdict": "infected", "name": "Wicked"}`)
	default:
		fmt.Fprint(w, `{"verdict": "clean"}`)
	}
}

// TestVerdictLater keeps mail for which a sandbox has no verdict, and lets it out, once, when it is clean: over a real
// MTA, across a restart of milterscan, and though the sandbox loses its jobs. What is infected stays.
func TestVerdictLater(t *testing.T) {
	h := newHouse(t, "")
	box := &slowBox{jobs: map[string]string{}}
	server := httptest.NewTLSServer(box)
	t.Cleanup(server.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o644); err != nil {
		t.Fatal(err)
	}
	h.makeVault(t, fmt.Sprintf(`
[[virus]]
name = "sandbox"
type = "http"
address = "%[1]s/submit"
poll = "%[1]s/jobs/{id}"
ca_file = %[2]q
timeout = "3s"
poll_every = "1s"
await = "1h"

[[rule]]
name = "the sandbox has not finished"
when = ["virus/pending/sandbox"]
action = "quarantine"
`, server.URL, ca))
	good, bad := clean("good"), letter([]byte("From: a@shop.test\r\nTo: user@test.local\r\nSubject: bad\r\n\r\nwicked words\r\n"))
	for _, m := range []servers.Mail{good, bad} {
		wantReply(t, "no verdict yet", h.send(m), 250)
	}
	rows := h.list(t)
	if len(rows) != 2 || rows[0].State != "kept" || rows[0].Reason != "virus/pending/sandbox" {
		t.Fatalf("the quarantine holds %+v", rows)
	}
	if out, _ := h.milter.Run(t, "quarantine list"); strings.Count(out, " awaits=virus/sandbox since 20") != 2 {
		t.Errorf("the list does not say what they wait for:\n%s", out)
	}
	h.mta.Settle(t)
	if n := h.mta.Mailbox().Count(); n != 0 {
		t.Fatalf("%d mails arrived without a verdict", n)
	}
	h.milter.Stop()
	box.mu.Lock()
	box.done, box.jobs = true, map[string]string{} // all it works on is lost
	box.mu.Unlock()
	h.milter.Start(t)
	for end := time.Now().Add(3 * time.Minute); ; time.Sleep(time.Second) {
		if out, _ := h.milter.Run(t, "quarantine list"); !strings.Contains(out, " awaits=") {
			break
		}
		if time.Now().After(end) {
			out, _ := h.milter.Run(t, "quarantine show", rows[0].ID, rows[1].ID)
			t.Fatalf("there is no verdict:\n%s\n%s", out, h.milter.Output())
		}
	}
	if d := h.mta.Mailbox().One(t); !unchangedButReleased(d, good.Data) || d.Sender != good.From {
		t.Errorf("from %s arrived\n%s", d.Sender, d.Mail)
	}
	states := map[string]string{}
	for _, r := range h.list(t) {
		states[r.Class] = r.State
	}
	if states["failed"] != "released" || states["infected"] != "kept" {
		t.Errorf("%v", states)
	}
	for id, want := range map[string]string{rows[1].ID: "by engine virus/sandbox to user@test.local", rows[0].ID: "infected (virus/Wicked)"} {
		if out, _ := h.milter.Run(t, "explain", id); !strings.Contains(out, want) {
			t.Errorf("explain does not say %q:\n%s", want, out)
		}
	}
	h.milter.Stop() // and nothing is released twice
	h.milter.Start(t)
	h.mta.Settle(t)
	if n := h.mta.Mailbox().Count(); n != 1 {
		t.Errorf("%d mails arrived", n)
	}
}
