package appeal

import (
	"context"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/cmd/milterscan/console/wording"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/people/appeals"
	"github.com/milterscan/milterscan/policy/token"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/tests/consoletest"
)

// site is a console with the page, and nobody who has logged in.
type site struct {
	*console.Console
	*console.Stores
	t      *testing.T
	people *people.Store
	now    time.Time
}

var (
	key    = []byte(strings.Repeat("k", 32))
	id     = "06h08cfwgrgbyv96"
	ourURL = appeals.Path + token.WriteShort(key, token.AppealLink, id)
)

func newSite(t *testing.T, rules string) *site {
	t.Helper()
	c := consoletest.Config(t, rules)
	s := &site{t: t, people: people.New(c.People.File), now: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)}
	s.Stores = console.NewStores(func() *config.Config { return c }, func(err error) { t.Log(err) })
	t.Cleanup(func() { s.Stores.Close(); s.people.Close() })
	var err error
	if s.Console, err = console.New(console.Options{People: s, Host: s, Log: zap.NewNop(), Now: time.Now}); err != nil {
		t.Fatal(err)
	}
	room, err := New(Options{Console: s.Console, Requests: func() Requests { return s.people }, Key: func() ([]byte, error) { return key, nil },
		Now: func() time.Time { return s.now }})
	if err != nil {
		t.Fatal(err)
	}
	s.Mount(room)
	return s
}

func (s *site) Config() *config.Config { return s.Stores.Config() }
func (s *site) Health() console.Health { return console.Health{} }
func (s *site) Who(*http.Request) (login.Person, error) {
	return login.Person{}, console.ErrNobody
}
func (s *site) Audit(*http.Request, login.Person, login.Right, string, string) error { return nil }
func (s *site) Trail(context.Context, accounts.Trail) ([]accounts.Entry, error)      { return nil, nil }
func (s *site) SetLanguage(context.Context, login.Person, string) error              { return nil }

// keep keeps a message that was refused with a link, or without.
func (s *site) keep(id string, link bool, to ...string) {
	s.t.Helper()
	found := policy.RecordFinding{Kind: scan.Note, Scanner: "spam", Rule: "spam/list"}
	r := policy.Record{Version: policy.RecordVersion, ID: id, Time: s.now.Add(-time.Hour), Action: "reject", Sender: "eve@example.net", Subject: "SECRET-SUBJECT", Appeal: link,
		Client: "192.0.2.1", Findings: []policy.RecordFinding{found}, Verdicts: []policy.RecordVerdict{{Recipients: to, Action: "reject", Because: 0, Appeal: link}}}
	for _, a := range to {
		r.Recipients = append(r.Recipients, policy.RecordRecipient{Recipient: a, Action: "reject"})
	}
	if err := s.dir().Keep(s.t.Context(), policy.Copy{Record: r, Raw: strings.NewReader("Subject: SECRET-SUBJECT\r\n\r\nbody\r\n")}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) dir() quarantine.Store { return s.Quarantine() }

// asked lists what recipients were asked.
func (s *site) asked() []people.Request {
	s.t.Helper()
	list, err := s.people.Requests(s.t.Context(), people.RequestFilter{})
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

// do has the console answer a browser.
func (s *site) do(method, path string, form url.Values, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	r.RemoteAddr = "203.0.113.9:4711"
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// from makes a request come from an address.
func from(address string) func(*http.Request) {
	return func(r *http.Request) { r.RemoteAddr = address + ":1" }
}

func speaking(language string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Accept-Language", language) }
}

// form opens the page of a link, and returns what its form would send with the right answer.
func (s *site) form(path string, change func(*http.Request)) url.Values {
	s.t.Helper()
	return s.filled(s.do("GET", path, nil, change).Body.String())
}

var (
	hidden   = regexp.MustCompile(`name="form" value="([^"]+)"`)
	asking   = regexp.MustCompile(`<label for="answer">([^<]+) <span`)
	language = regexp.MustCompile(`<html lang="(..)">`)
)

// filled answers the question on a page as a person does: by reading it.
func (s *site) filled(page string) url.Values {
	s.t.Helper()
	f, q, l := hidden.FindStringSubmatch(page), asking.FindStringSubmatch(page), language.FindStringSubmatch(page)
	if f == nil || q == nil || l == nil {
		s.t.Fatalf("no form in\n%s", page)
	}
	return url.Values{"form": {f[1]}, "answer": {solve(s.t, html.UnescapeString(q[1]), l[1])}, "text": {"Hello, I am the plumber."}, "website": {""}}
}

func solve(t *testing.T, q, code string) string {
	t.Helper()
	texts, err := wording.Read(textFiles, code)
	if err != nil {
		t.Fatal(err)
	}
	list := func(key string) []string { return strings.Split(texts.Of(key), ", ") }
	head, words, _ := strings.Cut(q, ": ")
	for i, nth := range list("ordinals") {
		if regexp.MustCompile(`(^|\s)`+nth+`(\s|$)`).MatchString(head) && strings.Count(words, ", ") == 3 {
			return strings.Split(words, ", ")[i]
		}
	}
	sum := 0
	for _, word := range strings.FieldsFunc(q, func(r rune) bool { return strings.ContainsRune(" ?.\u00a0¿", r) }) {
		if i := slices.Index(list("numbers"), word); i >= 0 {
			sum += i + 1
		}
	}
	return strconv.Itoa(sum)
}
