package mine

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/people/directory"
	"github.com/milterscan/milterscan/policy/tell/courier"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/tests/child"
	"github.com/milterscan/milterscan/tests/consoletest"
)

// TestMain lets the test binary start itself as the child that reads archives.
func TestMain(m *testing.M) { child.Watched(m) }

// site is a console with the pages of recipients.
type site struct {
	*console.Console
	*console.Stores
	t       *testing.T
	config  *config.Config
	mta     *consoletest.MTA
	mu      sync.Mutex
	audit   []string
	letters []courier.Page
	kinds   []string
	unsent  error
}

func (s *site) Releaser(by string) quarantine.Releaser {
	x := s.Stores.Releaser(by)
	x.Sender = s.mta
	return x
}

func (s *site) Health() console.Health { return console.Health{At: time.Now()} }

// Send takes a letter.
func (s *site) Send(_ context.Context, kind courier.Kind, to, language string, p courier.Page) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unsent != nil {
		return s.unsent
	}
	s.kinds, s.letters = append(s.kinds, string(kind)+" "+to+" "+language), append(s.letters, p)
	return nil
}

// Config returns the configuration.
func (s *site) Config() *config.Config { return s.config }

// persons are those who ask, by name: recipients beside those of other tests.
func (s *site) persons() map[string]login.Person {
	pages := s.config.People.Pages
	all := map[string]login.Person{}
	for name, p := range consoletest.People {
		all[name] = p
	}
	recipient := func(name string, addresses ...string) {
		all[name] = login.Person{Account: 9, Name: "recipient:" + addresses[0], Role: login.Recipient, Addresses: addresses, Classes: pages.Classes, Releases: pages.Release}
	}
	recipient("ann", "ann@example.com", "ann.smith@example.com")
	recipient("ben", "ben@example.com")
	recipient("eve", "eve@example.com")
	recipient("pa", "pa@example.com", "ann@example.com") // a delegate
	return all
}

func (s *site) Who(r *http.Request) (login.Person, error) {
	p, ok := s.persons()[r.Header.Get("Test-Person")]
	if !ok {
		return p, console.ErrNobody
	}
	p.Language = r.Header.Get("Test-Language")
	return p, nil
}

func (s *site) Audit(_ *http.Request, p login.Person, act login.Right, object, outcome string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.audit = append(s.audit, fmt.Sprintf("%s %s %s: %s", p.Name, act, object, outcome))
	return nil
}

func (s *site) Trail(context.Context, accounts.Trail) ([]accounts.Entry, error) { return nil, nil }

func (s *site) SetLanguage(context.Context, login.Person, string) error { return nil }

// newSite returns a console with kept messages: 1 suspicious, for ann and ben; 2 forbidden, for ann; 3 with
// a virus, for ann; 4 suspicious, for ben; 5 suspicious with what was not looked into, for ann.
func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, mta: &consoletest.MTA{}, config: consoletest.Config(t, "")}
	s.config.Local.Domains = []policy.Domain{"example.com"}
	s.config.People.File = s.config.Quarantine.Dir + "-people.db"
	s.config.Console.URL = "https://mx.example.com"
	s.Stores = console.NewStores(func() *config.Config { return s.config }, func(err error) { t.Log(err) })
	t.Cleanup(s.Stores.Close)
	var err error
	if s.Console, err = console.New(console.Options{People: s, Host: s, Log: zap.NewNop(), Now: time.Now}); err != nil {
		t.Fatal(err)
	}
	err = Mount(Options{Console: s.Console, Store: func() Store { return s.Folk() }, Letters: func() Letters { return s }, Directory: directory.New(directory.Options{}),
		Log: zap.NewNop(), Now: time.Now}, s.Who)
	if err != nil {
		t.Fatal(err)
	}
	s.keep(record(1, scan.Suspicious, "Ann@Example.com", "ben@example.com"), record(2, scan.Forbidden, "ann@example.com"), record(3, scan.Infected, "ann@example.com"),
		record(4, scan.Suspicious, "ben@example.com"))
	five := record(5, scan.Suspicious, "ann.smith@example.com")
	five.Findings = append(five.Findings, policy.RecordFinding{Kind: scan.Unscannable, Rule: "unpack/encrypted"})
	s.keep(five)
	return s
}

func id(n int) string { return fmt.Sprintf("06h08cfwgrgb%04d", n) }

// hostile is what must be data wherever it appears.
const hostile = "<script>alert(1)</script>\r\nSet-Cookie: a=b\u202e http://evil.test/"

// record is of a message that was kept.
func record(n int, kind scan.Kind, to ...string) policy.Record {
	r := policy.Record{Version: policy.RecordVersion, ID: id(n), Time: time.Now().Add(time.Duration(n-1000) * time.Minute), Stage: "message", Direction: "inbound",
		Client: "192.0.2.1", Sender: fmt.Sprintf("s%d@example.net", n), From: "\"The Bank\" <x@example.org>", Subject: fmt.Sprintf("%d %s", n, hostile), Action: "quarantine", Size: 1000,
		Findings: []policy.RecordFinding{{Kind: kind, Rule: "content/x", Detail: "secret detail"}},
		Verdicts: []policy.RecordVerdict{{Recipients: to, Action: "quarantine", Kept: true, Rule: &policy.RecordRule{Name: "r"}, Because: 0}}}
	for _, a := range to {
		r.Recipients = append(r.Recipients, policy.RecordRecipient{Recipient: a, Action: "quarantine", Rule: "r"})
	}
	return r
}

func (s *site) keep(records ...policy.Record) {
	s.t.Helper()
	own := pipeline.NewStores()
	defer own.Close()
	for _, r := range records {
		text := "Subject: x\r\nContent-Type: text/html\r\n\r\n<p>Hello<script>alert(2)</script><img src=http://canary.test/x.gif>\r\n"
		if err := own.Quarantine(s.config).Keep(s.t.Context(), policy.Copy{Record: r, Raw: strings.NewReader(text)}); err != nil {
			s.t.Fatal(err)
		}
	}
}

// ask has the console answer a person.
func (s *site) ask(who, method, path string, pairs ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Test-Person", who)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// page returns a page that has to be there.
func (s *site) page(who, path string) string {
	s.t.Helper()
	w := s.ask(who, "GET", path)
	if w.Code != http.StatusOK {
		s.t.Fatalf("%s by %s: %d %s", path, who, w.Code, w.Body)
	}
	return w.Body.String()
}

// led returns where a form leads that has to succeed.
func (s *site) led(who, path string, pairs ...string) string {
	s.t.Helper()
	w := s.ask(who, "POST", path, pairs...)
	if w.Code != http.StatusSeeOther {
		s.t.Fatalf("%s by %s: %d %s", path, who, w.Code, w.Body)
	}
	return w.Header().Get("Location")
}

// entries returns the list of an address, as words.
func (s *site) entries(owner string) string {
	s.t.Helper()
	list, err := s.Folk().Entries(s.t.Context(), people.Filter{Owners: []string{owner}})
	if err != nil {
		s.t.Fatal(err)
	}
	var all []string
	for _, e := range list {
		all = append(all, string(e.Act)+" "+e.Pattern)
	}
	return strings.Join(all, ", ")
}

// requests returns all requests, the oldest first, as words.
func (s *site) asked() string {
	s.t.Helper()
	list, err := s.Folk().Requests(s.t.Context(), people.RequestFilter{})
	if err != nil {
		s.t.Fatal(err)
	}
	var all []string
	for _, r := range list {
		all = append([]string{fmt.Sprintf("%s %s %s %s", r.Kind, r.Message[12:], r.Address, r.State)}, all...)
	}
	return strings.Join(all, ", ")
}

var errDown = errors.New("down")
