package virus

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/units"
)

// laterOf returns what asks the sandbox of an engine later.
func laterOf(t *testing.T, e *Engine) *Later {
	t.Helper()
	s, ok := e.servers[0].Server.(*service)
	if !ok {
		t.Fatal("no service")
	}
	return &Later{e, s}
}

// TestLater asks for the verdicts on the jobs that findings name, and submits nothing again.
func TestLater(t *testing.T) {
	s := &sandbox{after: -1}
	e := overHTTP(t, s, func(c *Config) { c.Timeout = units.Duration(time.Second) })
	found, err := e.Scan(t.Context(), twoParts())
	if err != nil || len(found) != 2 || found[0].Job == "" || strings.Contains(found[0].Detail, found[0].Job) {
		t.Fatalf("%+v, %v", found, err)
	}
	l, jobs := laterOf(t, e), []string{found[0].Job, found[1].Job}
	if p, err := l.Ask(t.Context(), jobs); err != nil || len(p.Jobs) != 2 || p.Found != nil {
		t.Errorf("%+v, %v", p, err)
	}
	s.mu.Lock()
	s.after = 0
	s.mu.Unlock()
	if p, err := l.Ask(t.Context(), jobs); err != nil || p.Found == nil || p.Found.Rule != "virus/Fake_Virus_1" || p.Found.Kind != scan.Infected {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := l.Ask(t.Context(), jobs[:1]); err != nil || p.Found != nil || len(p.Jobs) > 0 || s.submitted != 2 {
		t.Errorf("%+v, %v, submitted %d times", p, err, s.submitted)
	}
}

// TestLaterSubmit has a sandbox that has lost everything look again.
func TestLaterSubmit(t *testing.T) {
	s := &sandbox{after: 0}
	l := laterOf(t, overHTTP(t, s, nil))
	for n := 1; n <= 2; n++ { // what the first answer said is not remembered
		if p, err := l.Submit(t.Context(), twoParts()); err != nil || len(p.Jobs) != 2 || p.Found != nil || s.submitted != 2*n {
			t.Errorf("%+v, %v, submitted %d times", p, err, s.submitted)
		}
	}
	at := func(status int, text string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.answer = func(w http.ResponseWriter, r *http.Request) bool {
			w.WriteHeader(status)
			fmt.Fprint(w, text)
			return true
		}
	}
	at(200, `{"data":[{"state":"malicious","family":"x"}]}`)
	if p, err := l.Submit(t.Context(), twoParts()); err != nil || p.Found == nil || p.Found.Rule != "virus/x" {
		t.Errorf("%+v, %v", p, err)
	}
	at(200, `{"data":[{"state":"clean"}]}`)
	if p, err := l.Submit(t.Context(), twoParts()); err != nil || p.Found != nil || len(p.Jobs) > 0 {
		t.Errorf("%+v, %v", p, err)
	}
	at(http.StatusRequestEntityTooLarge, "")
	if _, err := l.Submit(t.Context(), twoParts()); !errors.Is(err, ErrTooBig) {
		t.Errorf("%v: what was not looked at is clean", err)
	}
}

// TestLaterMisbehaving: what is no verdict is an error, and never clean.
func TestLaterMisbehaving(t *testing.T) {
	for name, test := range map[string]struct {
		status     int
		text, want string
	}{
		"an error":        {500, "no", "500"},
		"a page":          {200, "<html>", "no JSON"},
		"nothing":         {200, "", "no JSON"},
		"two verdicts":    {200, `{"data":[{"state":"clean"}]}{"data":[{"state":"malicious"}]}`, "no JSON"},
		"another verdict": {200, `{"data":[{"state":"probably clean"}]}`, "in none of clean_words"},
		"a lost job":      {404, "", ErrNoJob.Error()},
		"an old job":      {410, "", ErrNoJob.Error()},
		"elsewhere":       {302, "", "302"},
	} {
		s := &sandbox{answer: func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(test.status)
			fmt.Fprint(w, test.text)
			return true
		}}
		p, err := laterOf(t, overHTTP(t, s, nil)).Ask(t.Context(), []string{"1"})
		if err == nil || !strings.Contains(err.Error(), test.want) || errors.Is(err, ErrNoJob) != (test.want == ErrNoJob.Error()) || p.Found != nil {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	if _, err := NewLater(Config{Name: "c", Type: TypeClamd, Address: Addresses{"unix:/x"}}); err == nil {
		t.Error("clamd gives verdicts later")
	}
}
