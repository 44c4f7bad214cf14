package virus

import (
	"crypto/sha256"
	"encoding/hex"
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

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/scantest"
	"github.com/milterscan/milterscan/scan/units"
)

// sandbox is a service that takes a while: a job has its verdict after it was asked for some times.
type sandbox struct {
	mu        sync.Mutex
	after     int // questions until there is a verdict; negative: there never is
	asked     map[string]int
	bad       map[string]bool
	submitted int
	answer    func(w http.ResponseWriter, r *http.Request) bool // in place of its own, if it returns true
}

func (s *sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answer != nil && s.answer(w, r) {
		return
	}
	if r.Header.Get("Authorization") != "Bearer secret" {
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	if r.Method == http.MethodPost {
		content, _ := io.ReadAll(r.Body)
		sum := sha256.Sum256(content)
		id := hex.EncodeToString(sum[:])
		if r.Header.Get("X-Content-SHA256") != id {
			http.Error(w, "another content", http.StatusBadRequest)
			return
		}
		s.submitted++
		s.bad[id] = strings.Contains(string(content), "evil")
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintf(w, `{"data": [{"id": "job/%s"}]}`, id)
		return
	}
	id := strings.TrimPrefix(r.URL.Path, "/jobs/job/")
	s.asked[id]++
	switch {
	case s.after < 0 || s.asked[id] <= s.after:
		fmt.Fprint(w, `{"data": [{"state": "RUNNING"}]}`)
	case s.bad[id]:
		fmt.Fprint(w, `{"data": [{"state": "malicious", "family": "Fake Virus/1"}]}`)
	default:
		fmt.Fprint(w, `{"data": [{"state": "clean"}]}`)
	}
}

// overHTTP returns an engine that asks a sandbox.
func overHTTP(t *testing.T, s *sandbox, change func(*Config)) *Engine {
	t.Helper()
	s.asked, s.bad = map[string]int{}, map[string]bool{}
	server := httptest.NewTLSServer(s)
	t.Cleanup(server.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	c := Config{Name: "sandbox", Type: TypeHTTP, Address: Addresses{server.URL + "/submit"}, CAFile: ca, MaxStream: units.MB,
		Timeout: units.Duration(20 * time.Second)}
	c.HTTP = HTTP{Poll: server.URL + "/jobs/{id}", PollEvery: units.Duration(100 * time.Millisecond), TokenFile: "/token",
		IDAt: "data.0.id", VerdictAt: "data.0.state", NameAt: "data.0.family", InfectedWords: []string{"malicious"}, PendingWords: []string{"running"},
		Token: func() (string, error) { return "secret", nil }}
	if change != nil {
		change(&c)
	}
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	e, err := httpEngine(c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestHTTPContract(t *testing.T) { scantest.Run(t, overHTTP(t, &sandbox{}, nil), Catalogue()...) }

func twoParts() *scan.Message {
	return scantest.Message("", scan.Part{Path: "1", Content: scantest.Bytes([]byte("good"))}, scan.Part{Path: "2", Content: scantest.Bytes([]byte("evil"))})
}

func rulesOfFindings(found []scan.Finding) string {
	var rules []string
	for _, f := range found {
		rules = append(rules, fmt.Sprintf("%s@%d", f.Rule, f.Part))
	}
	return strings.Join(rules, " ")
}

// TestHTTP waits for verdicts, and submits no content twice.
func TestHTTP(t *testing.T) {
	s := &sandbox{after: 2}
	e := overHTTP(t, s, nil)
	for range 3 {
		found, err := e.Scan(t.Context(), twoParts())
		if got := rulesOfFindings(found); err != nil || got != "virus/Fake_Virus_1@1" {
			t.Errorf("%q, %v", got, err)
		}
	}
	if s.submitted != 2 {
		t.Errorf("submitted %d times", s.submitted)
	}
}

// TestHTTPPending says that there is no verdict yet, which is not clean, and asks on when the mail comes again.
func TestHTTPPending(t *testing.T) {
	s := &sandbox{after: -1}
	e := overHTTP(t, s, func(c *Config) { c.Timeout = units.Duration(time.Second) })
	found, err := e.Scan(t.Context(), twoParts())
	if got := rulesOfFindings(found); err != nil || got != "virus/pending/sandbox@0 virus/pending/sandbox@1" || found[0].Kind != scan.Failed {
		t.Errorf("%q, %v", got, err)
	}
	s.mu.Lock()
	s.after = 0
	s.mu.Unlock()
	found, err = e.Scan(t.Context(), twoParts())
	if got := rulesOfFindings(found); err != nil || got != "virus/Fake_Virus_1@1" || s.submitted != 2 {
		t.Errorf("%q, %v, submitted %d times", got, err, s.submitted)
	}
}

// TestHTTPMisbehaving: what is no verdict is an error, and never clean.
func TestHTTPMisbehaving(t *testing.T) {
	says := func(status int, text string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			w.WriteHeader(status)
			fmt.Fprint(w, text)
			return true
		}
	}
	for name, test := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request) bool
		want   string
	}{
		"an error":        {says(500, "no"), "500"},
		"a page":          {says(200, "<html>"), "no JSON"},
		"two answers":     {says(200, `{"data":[{"state":"clean"}]}{}`), "no JSON"},
		"half an answer":  {says(200, `{"data":[{"state":"clean"`), "no JSON"},
		"nothing":         {says(200, ""), "no JSON"},
		"no job":          {says(202, `{"data":[{"state":"running"}]}`), "no job to ask for"},
		"another verdict": {says(200, `{"data":[{"state":"probably clean"}]}`), "in none of clean_words"},
		"a list":          {says(200, `{"data":[{"state":["clean"]}]}`), "no job to ask for"},
		"a long id":       {says(202, `{"data":[{"id":"`+strings.Repeat("x", 201)+`"}]}`), "more than 200 bytes"},
		"a long answer":   {says(200, `"`+strings.Repeat("x", mostAnswer)+`"`), "longer than"},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, "https://evil.example/", http.StatusTemporaryRedirect)
			return true
		}, "307"},
		"a job that is gone": {func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodGet {
				http.NotFound(w, r)
			}
			return r.Method == http.MethodGet
		}, "404"},
		"gone": {func(w http.ResponseWriter, r *http.Request) bool { panic(http.ErrAbortHandler) }, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &sandbox{answer: test.answer}
			found, err := overHTTP(t, s, nil).Scan(t.Context(), twoParts())
			if err == nil || !strings.Contains(err.Error(), test.want) || len(found) > 0 {
				t.Errorf("%v, want %q; %s", err, test.want, rulesOfFindings(found))
			}
		})
	}
	s := &sandbox{answer: says(http.StatusRequestEntityTooLarge, "")}
	found, _ := overHTTP(t, s, nil).Scan(t.Context(), scantest.Message("", scan.Part{Path: "1", Content: scantest.Bytes([]byte("x"))}))
	if got := rulesOfFindings(found); got != "virus/too-big@0" {
		t.Errorf("%q", got)
	}
	untrusted := func(c *Config) { c.CAFile = "" }
	if _, err := overHTTP(t, &sandbox{}, untrusted).Scan(t.Context(), twoParts()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown authority: %v", err)
	}
	unread := func(c *Config) { c.Token = func() (string, error) { return "", os.ErrNotExist } }
	if _, err := overHTTP(t, &sandbox{}, unread).Scan(t.Context(), twoParts()); err == nil || !strings.Contains(err.Error(), "token_file") {
		t.Errorf("no token: %v", err)
	}
}

func TestVerdictsAreBounded(t *testing.T) {
	v := newVerdicts(time.Minute)
	now := time.Now()
	v.now = func() time.Time { return now }
	of := func(i int) (s sum) { copy(s[:], fmt.Sprint(i)); return s }
	for i := range 3 * mostVerdicts {
		v.keep(of(i), answer{settled: true})
		v.keep(of(0), answer{settled: true})
		v.forget(of(i - 1))
		v.keep(of(i-1), answer{settled: true})
	}
	if len(v.known) > mostVerdicts || len(v.order) > 2*mostVerdicts {
		t.Errorf("%d remembered, %d in order", len(v.known), len(v.order))
	}
	last := of(3*mostVerdicts - 1)
	if _, ok := v.of(last); !ok {
		t.Error("the last is forgotten")
	}
	now = now.Add(2 * time.Minute)
	if _, ok := v.of(last); ok {
		t.Error("it holds for too long")
	}
}

func TestHTTPCheck(t *testing.T) {
	good := func() Config {
		return Config{Name: "h", Type: TypeHTTP, Address: Addresses{"https://s.example/submit"}, HTTP: HTTP{Poll: "https://s.example/{id}"}}
	}
	for key, change := range map[string]func(*Config){
		"address":        func(c *Config) { c.Address = nil },
		"address[0]":     func(c *Config) { c.Address = Addresses{"http://s.example/submit"} },
		"poll":           func(c *Config) { c.Poll = "https://s.example/" },
		"poll_every":     func(c *Config) { c.PollEvery = 1 },
		"remember":       func(c *Config) { c.Remember = 1 },
		"await":          func(c *Config) { c.Await = units.Duration(time.Second) },
		"on_infected":    func(c *Config) { c.OnInfected = "release" },
		"notify[0]":      func(c *Config) { c.Notify = []string{"postmaster"} },
		"token_file":     func(c *Config) { c.TokenFile = "token" },
		"infected_words": func(c *Config) { c.InfectedWords = []string{"Clean"} },
		"pending_words":  func(c *Config) { c.PendingWords = []string{"CLEAN"} },
		"rules":          func(c *Config) { c.Rules = []string{"/r.yar"} },
	} {
		c := good()
		if err := c.Check(); err != nil {
			t.Fatal(err)
		}
		change(&c)
		if faults := units.Faults(c.Check()); len(faults) != 1 || faults[0].Key != key {
			t.Errorf("%s: %v", key, faults)
		}
	}
	alone := good()
	alone.Poll, alone.OnInfected = "", "delete"
	if faults := units.Faults(alone.Check()); len(faults) != 1 || faults[0].Key != "await" {
		t.Errorf("without poll: %v", faults)
	}
	local := good()
	local.Address, local.Poll = Addresses{"http://127.0.0.1:8080/"}, "http://[::1]/{id}"
	if err := local.Check(); err != nil {
		t.Error(err)
	}
}

func FuzzHTTPAnswer(f *testing.F) {
	f.Add([]byte(`{"verdict":"clean"}`))
	f.Add([]byte(`{"verdict":"infected","name":"x"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s := &service{}
		s.HTTP.setDefaults()
		a, err := s.read(text)
		if err == nil && a.settled && a.name == "" && !strings.Contains(strings.ToLower(string(text)), "clean") && !strings.Contains(string(text), `\u`) {
			t.Errorf("%q is taken for clean", text)
		}
	})
}
