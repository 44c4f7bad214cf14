package console

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/cmd/milterscan/doctor"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/tests/child"
	"github.com/milterscan/milterscan/tests/consoletest"
)

// TestMain lets the test binary start itself as the child that reads archives, and looks
// for goroutines that are left.
func TestMain(m *testing.M) { child.Watched(m) }

// stores is the type of Stores under a name that does not hide the console's methods.
type stores = *Stores

// site is a console with people and stores of its own.
type site struct {
	*Console
	stores
	t      *testing.T
	mta    *consoletest.MTA
	health Health
	mu     sync.Mutex
	audit  []accounts.Entry
	noted  error // of the audit log
	late   []pipeline.Late
}

// Config, History and the like are those of the stores.
func (s *site) Health() Health { return s.health }

// Late returns the hosts that the test says.
func (s *site) Late(context.Context) ([]pipeline.Late, error) { return s.late, nil }

// Releaser sends to the MTA of the test.
func (s *site) Releaser(by string) quarantine.Releaser {
	x := s.stores.Releaser(by)
	x.Sender = s.mta
	return x
}

// keepTheOdd is the rule of sites.
const keepTheOdd = `[[rule]]
name = "keep the odd"
when = ["content/script"]
action = "quarantine"`

// newSite returns a console whose people are named by a field of requests.
func newSite(t *testing.T) *site {
	t.Helper()
	c := consoletest.Config(t, keepTheOdd)
	s := &site{t: t, mta: &consoletest.MTA{}, health: Health{At: time.Now(), Findings: []doctor.Finding{
		{Check: "engines", What: "clamd (unix:/run/clamav/clamd.ctl): ClamAV 1.4.3/27500/Sun Nov 29 08:24:13 2026"},
		{Level: doctor.Fault, Check: "directories", What: "quarantine.dir: /var/lib/milterscan has 40MB left", Fix: "make room, or lower quarantine.size"}},
		Outages: []Outage{{Name: "spam/list.example", Finding: "spam/failed/list.example", Since: time.Now().Add(-time.Hour), Messages: 12}}}}
	s.stores = NewStores(func() *config.Config { return c }, func(err error) { t.Log(err) })
	t.Cleanup(s.stores.Close)
	var err error
	s.Console, err = New(Options{People: s, Host: s, Log: zap.NewNop(), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) Who(r *http.Request) (login.Person, error) {
	p, ok := consoletest.People[r.Header.Get("Test-Person")]
	if !ok {
		return p, ErrNobody
	}
	if r.Header.Get("Test-Away") != "" {
		p.Away = time.Now().Add(-time.Minute)
	}
	if code := r.Header.Get("Test-Language"); code != "" {
		p.Language = code
	}
	return p, nil
}

func (s *site) Audit(_ *http.Request, p login.Person, act login.Right, object, outcome string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.noted != nil {
		return s.noted
	}
	s.audit = append(s.audit, accounts.Entry{ID: int64(len(s.audit) + 1), Time: time.Now(), Person: p.Name, Role: string(p.Role), Client: "192.0.2.9", Act: string(act),
		Object: object, Outcome: outcome})
	return nil
}

func (s *site) Trail(context.Context, accounts.Trail) ([]accounts.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]accounts.Entry{}, s.audit...), s.noted
}

func (s *site) SetLanguage(context.Context, login.Person, string) error { return nil }

// id is the n-th id.
func id(n int) string { return fmt.Sprintf("06h08cfwgrgb%04d", n) }

// filled returns a path that a pattern matches.
func (s *site) filled(pattern string) string {
	return strings.NewReplacer("{$}", "", "{sum}", "x.css", "{id}", id(1), "{part}", "0", "{until}", "1", "{mark}", "x").Replace(pattern)
}

// ask has the console answer a request of a person.
func (s *site) ask(method, path, who string, change func(*http.Request)) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequest(method, path, nil)
	return s.answer(r, who, change)
}

// post sends a form.
func (s *site) post(path, who string, pairs ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return s.answer(r, who, nil)
}

func (s *site) answer(r *http.Request, who string, change func(*http.Request)) *httptest.ResponseRecorder {
	r.Header.Set("Test-Person", who)
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// aboutMail is how mails of tests come.
var aboutMail = pipeline.Delivery{From: "eve@example.net", Client: "192.0.2.1", Helo: "mx.example.net"}

// judged has a mail judged, and its record remembered; it is kept if the rules say so.
func (s *site) judged(n int, text string, to ...string) policy.Record {
	s.t.Helper()
	p, err := s.pipeline()
	if err != nil {
		s.t.Fatal(err)
	}
	defer p.Close()
	about := aboutMail
	about.To = to
	env, err := about.Envelope()
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := p.ScanReader(s.t.Context(), strings.NewReader(text), env)
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Close()
	record := r.Record()
	record.ID = id(n)
	s.remember(record)
	if r.Decision.Keep {
		s.keep(record, text)
	}
	return record
}

// remember puts records into the history.
func (s *site) remember(records ...policy.Record) {
	s.t.Helper()
	consoletest.Remember(s.t, s.Config(), records...)
}

// keep puts a message into the quarantine.
func (s *site) keep(record policy.Record, text string) {
	s.t.Helper()
	err := s.stores.own.Quarantine(s.Config()).Keep(s.t.Context(), policy.Copy{Record: record, Raw: strings.NewReader(text)})
	if err != nil {
		s.t.Fatal(err)
	}
}

// stored returns the facts about a kept message.
func (s *site) stored(n int) quarantine.Entry {
	s.t.Helper()
	e, err := s.Quarantine().Entry(s.t.Context(), id(n))
	if err != nil {
		s.t.Fatal(err)
	}
	return e
}
