package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/folk"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/cmd/milterscan/doctor"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/people/directory"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/tests/child"
	"github.com/milterscan/milterscan/tests/consoletest"
)

// TestMain lets the test binary start itself as the child that reads archives.
func TestMain(m *testing.M) { child.Watched(m) }

// site is a console with an API, whose tokens are the names of people.
type site struct {
	*console.Console
	*console.Stores
	t     *testing.T
	mta   *consoletest.MTA
	mu    sync.Mutex
	audit []string

	people *accounts.Accounts
}

// Releaser sends to the MTA of the test.
func (s *site) Releaser(by string) quarantine.Releaser {
	x := s.Stores.Releaser(by)
	x.Sender = s.mta
	return x
}

// Health is that of a host with an engine that is down.
func (s *site) Health() console.Health {
	return console.Health{At: now, Findings: []doctor.Finding{{Check: "engines", What: "clamd: 1.4.3"}, {Level: doctor.Fault, Check: "directories", What: "full", Fix: "make room"}},
		Outages: []console.Outage{{Name: "spam/list", Finding: "spam/failed", Since: now, Messages: 2}}}
}

var now = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// bearers are accounts whose tokens are the names of people.
type bearers struct {
	*accounts.Accounts
	s *site
}

// Bearer is that of the site.
func (b bearers) Bearer(ctx context.Context, text string) (login.Person, error) {
	return b.s.Bearer(ctx, text)
}

// add makes an account.
func (s *site) add(name string, role login.Role, domains ...string) accounts.Account {
	s.t.Helper()
	if err := s.people.Add(s.t.Context(), accounts.Account{Name: name, Role: role, Domains: domains}, ""); err != nil {
		s.t.Fatal(err)
	}
	a, err := s.people.ByName(s.t.Context(), name)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// Bearer knows people with all rights of their roles, and "root-reads" with one of them.
func (s *site) Bearer(_ context.Context, text string) (login.Person, error) {
	p, ok := consoletest.People[strings.TrimSuffix(text, "-reads")]
	if !ok {
		return p, accounts.ErrWrong
	}
	p.Token, p.Only = true, login.Rights()
	if strings.HasSuffix(text, "-reads") {
		p.Only = []login.Right{login.SeeMessages}
	}
	return p, nil
}

func (s *site) Who(*http.Request) (login.Person, error) { return login.Person{}, console.ErrNobody }

func (s *site) Audit(_ *http.Request, p login.Person, act login.Right, object, _ string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.audit = append(s.audit, fmt.Sprintf("%s %s %s", p.Name, act, object))
	return nil
}

func (s *site) Trail(context.Context, accounts.Trail) ([]accounts.Entry, error) { return nil, nil }

func (s *site) SetLanguage(context.Context, login.Person, string) error { return nil }

// newSite returns a console with kept messages: 1 is for example.com and example.org, 2
// for example.com with a virus, 3 for example.org.
func newSite(t *testing.T) *site {
	t.Helper()
	c := consoletest.Config(t, "")
	s := &site{t: t, mta: &consoletest.MTA{}}
	s.Stores = console.NewStores(func() *config.Config { return c }, func(err error) { t.Log(err) })
	t.Cleanup(s.Stores.Close)
	var err error
	if s.Console, err = console.New(console.Options{People: s, Host: s, Log: zap.NewNop(), Now: func() time.Time { return now }}); err != nil {
		t.Fatal(err)
	}
	s.people = accounts.New(c.Console.File)
	t.Cleanup(func() { s.people.Close() })
	c.Local.Domains = []policy.Domain{"example.com", "example.org"}
	s.Mount(New(s.Console, bearers{s.people, s}, &folk.Folk{Options: folk.Options{Console: s.Console, Store: func() folk.Store { return s.Folk() }, Directory: directory.New(directory.Options{}),
		Now: func() time.Time { return now }}}))
	s.keep(record(1, scan.Forbidden, "bob@example.com", "ann@example.org"), record(2, scan.Infected, "bob@example.com"), record(3, scan.Forbidden, "ann@example.org"))
	return s
}

// id is the n-th id.
func id(n int) string { return fmt.Sprintf("06h08cfwgrgb%04d", n) }

// record is of a message that was kept.
func record(n int, kind scan.Kind, to ...string) policy.Record {
	r := policy.Record{Version: policy.RecordVersion, ID: id(n), Time: now.Add(time.Duration(n-10) * time.Minute), Stage: "message", Direction: "inbound", QueueID: fmt.Sprintf("4Q%d", n),
		MessageID: fmt.Sprintf("m%d@example.net", n), Client: "192.0.2.1", Sender: "eve@example.net", Subject: hostile, Action: "quarantine", Size: 1000,
		Findings: []policy.RecordFinding{{Kind: kind, Rule: "attachment/name", Detail: hostile}}, Verdicts: []policy.RecordVerdict{{Recipients: to, Action: "quarantine", Kept: true, Rule: &policy.RecordRule{Name: "r"}, Because: 0}}}
	for _, a := range to {
		r.Recipients = append(r.Recipients, policy.RecordRecipient{Recipient: a, Action: "quarantine", Rule: "r"})
	}
	return r
}

// hostile is what must be data wherever it appears.
const hostile = "<script>alert(1)</script>\r\nSet-Cookie: a=b\u202e \x1b[31m"

// keep puts messages into the history and the quarantine.
func (s *site) keep(records ...policy.Record) {
	s.t.Helper()
	consoletest.Remember(s.t, s.Config(), records...)
	own := pipeline.NewStores()
	defer own.Close()
	for _, r := range records {
		if err := own.Quarantine(s.Config()).Keep(s.t.Context(), policy.Copy{Record: r, Raw: strings.NewReader("Subject: x\r\n\r\nbody\r\n")}); err != nil {
			s.t.Fatal(err)
		}
	}
}

// ask has the API answer.
func (s *site) ask(who, method, path, body string) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if who != "" {
		r.Header.Set("Authorization", "Bearer "+who)
	}
	if strings.HasSuffix(r.URL.Path, "/rehearsals") {
		r.Header.Set("Content-Type", "message/rfc822")
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// list returns the ids of a page, and the address of the next one.
func (s *site) list(who, path string) (ids []string, next string) {
	s.t.Helper()
	got := s.ask(who, "GET", path, "")
	var out struct {
		Messages []struct{ ID string }
		Next     string
	}
	if err := json.Unmarshal(got.Body.Bytes(), &out); err != nil || got.Code != http.StatusOK {
		s.t.Fatalf("%s by %s: %d %s %v", path, who, got.Code, got.Body, err)
	}
	for _, m := range out.Messages {
		ids = append(ids, strings.TrimPrefix(m.ID, "06h08cfwgrgb000"))
	}
	if want := map[bool]string{true: "<" + out.Next + `>; rel="next"`}[out.Next != ""]; got.Header().Get("Link") != want {
		s.t.Errorf("Link: %q", got.Header().Get("Link"))
	}
	return ids, out.Next
}

// ours returns the routes of the API.
func (s *site) ours() []console.Route {
	return slices.DeleteFunc(slices.Clone(s.Routes()), func(r console.Route) bool { return !strings.HasPrefix(r.Pattern, "/api/v1/") })
}
