package folk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/cmd/milterscan/console/wording"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/people/directory"
	"github.com/milterscan/milterscan/tests/consoletest"
)

// site is a console with the pages of people.
type site struct {
	*console.Console
	*console.Stores
	t    *testing.T
	c    *config.Config
	folk *Folk

	mu    sync.Mutex
	audit []string
	broke error // with which the store fails, if not nil
}

// Config returns the configuration.
func (s *site) Config() *config.Config { return s.c }

func (s *site) Health() console.Health { return console.Health{At: time.Now()} }

func (s *site) Who(r *http.Request) (login.Person, error) {
	name, only, token := strings.Cut(r.Header.Get("Test-Person"), " ")
	p, ok := consoletest.People[name]
	if !ok {
		return p, console.ErrNobody
	}
	if token {
		p.Token, p.Only = true, []login.Right{login.Right(only)}
	}
	p.Language = r.Header.Get("Test-Language")
	return p, nil
}

func (s *site) Audit(_ *http.Request, p login.Person, act login.Right, object, outcome string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.audit = append(s.audit, fmt.Sprintf("%s %s %s %s", p.Name, act, object, outcome))
	return nil
}

func (s *site) Trail(context.Context, accounts.Trail) ([]accounts.Entry, error) { return nil, nil }

func (s *site) SetLanguage(context.Context, login.Person, string) error { return nil }

// broken is a store that fails.
type broken struct {
	Store
	err error
}

func (b broken) SettingsOf(context.Context, []string) (map[string]people.Settings, error) {
	return nil, b.err
}

// hostile is what must be data wherever it appears.
const hostile = "<script>alert(1)</script>\u202e"

// table has people of two domains: Ann with an alias in the other, who has a delegate in each.
const table = "address,name,aliases,groups,language,delegates\n" +
	"ann@example.com,Ann " + hostile + ",a.smith@example.com; ann@example.org,finance; board,de,sec@example.com; zoe@example.org\n" +
	"sec@example.com,Secretary,,,,\n" + "zoe@example.org,Zoe,zoe@example.com,,fr,\n"

// newSite returns a console where two domains are ours, of which one is all in a table of people.
func newSite(t *testing.T, text string) *site {
	t.Helper()
	s := &site{t: t, c: consoletest.Config(t, "")}
	s.c.Local.Domains = []policy.Domain{"example.com", "example.org"}
	s.Stores = console.NewStores(func() *config.Config { return s.c }, func(err error) { t.Log(err) })
	t.Cleanup(s.Stores.Close)
	d := directory.New(directory.Options{})
	if text != "" {
		file := filepath.Join(t.TempDir(), "people.csv")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		from := directory.Source{}
		from.SetDefaults()
		from.Name, from.Type, from.File, from.Domains = "x", directory.CSV, file, []policy.Domain{"example.com"}
		d.Use([]directory.Source{from}, "+")
		d.Load(t.Context())
	}
	var err error
	if s.Console, err = console.New(console.Options{People: s, Host: s, Log: zap.NewNop(), Now: time.Now}); err != nil {
		t.Fatal(err)
	}
	s.folk = &Folk{Options{Console: s.Console, Directory: d, Now: time.Now, Store: func() Store {
		if s.broke != nil {
			return broken{s.Folk(), s.broke}
		}
		return s.Folk()
	}}}
	if err := Mount(s.folk, s.Who); err != nil {
		t.Fatal(err)
	}
	return s
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

// TestPeople: an administrator of a domain sees its people, and of others nothing; what it may change is in force at
// once, and in the audit log.
func TestPeople(t *testing.T) {
	s := newSite(t, table)
	page := s.ask("own", "GET", "/people").Body.String()
	for want, there := range map[string]bool{`href="/people/ann@example.com"`: true, `href="/people/sec@example.com"`: true, "a.smith@example.com": true, "board": true,
		"example.org": false, "Zoe": false, "<script>": false} {
		if strings.Contains(page, want) != there {
			t.Errorf("%q on the page: %v\n%s", want, !there, page)
		}
	}
	if page := s.ask("root", "GET", "/people").Body.String(); !strings.Contains(page, "zoe@example.org") || !strings.Contains(page, `aria-current="page">People`) {
		t.Errorf("an administrator's page: %s", page)
	}
	one := s.ask("own", "GET", "/people/A.Smith@example.com").Body.String()
	if !strings.Contains(one, "sec@example.com") || strings.Contains(one, "example.org") || strings.Contains(one, "<script>") || !strings.Contains(one, "directory of the organisation") {
		t.Errorf("Ann's page: %s", one)
	}
	if w := s.ask("own", "POST", "/people/ann@example.com", "language", "fr", "digest", "daily", "at", "06:30"); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/people/ann@example.com?done=1" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if got, err := s.Folk().Settings(t.Context(), "ann@example.com"); err != nil || got != (people.Settings{Language: "fr", Digest: "daily", At: 390}) {
		t.Errorf("%+v, %v", got, err)
	}
	if w := s.ask("own", "POST", "/people/sec@example.com/delegates", "delegate", "A.SMITH@example.com"); w.Code != http.StatusSeeOther {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if got, err := s.Folk().Owners(t.Context(), "ann@example.com"); err != nil || !slices.Equal(got, []string{"sec@example.com"}) {
		t.Errorf("%v, %v", got, err)
	}
	if page := s.ask("own", "GET", "/people/sec@example.com?done=1").Body.String(); !strings.Contains(page, `name="end" value="ann@example.com"`) || !strings.Contains(page, `role="status"`) {
		t.Errorf("%s", page)
	}
	if w := s.ask("own", "POST", "/people/sec@example.com/delegates", "end", "ann@example.com"); w.Code != http.StatusSeeOther {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	want := []string{"own change people ann@example.com settings: language fr, digests daily: done", "own change people sec@example.com delegate ann@example.com: done",
		"own change people sec@example.com no longer delegate ann@example.com: done"}
	if !slices.Equal(s.audit, want) {
		t.Errorf("audit log: %q", s.audit)
	}
}

// TestOthers: of a person of another domain each hears what it hears of one that is not there, whatever is asked.
func TestOthers(t *testing.T) {
	s := newSite(t, table)
	for _, c := range []struct{ who, method, path string }{
		{"own", "GET", "/people/%s"}, {"own", "POST", "/people/%s"}, {"own", "POST", "/people/%s/delegates"}, {"other", "GET", "/people/%s"}, {"other", "POST", "/people/%s/delegates"},
	} {
		theirs, none := "zoe@example.org", "nobody@example.net"
		if c.who == "other" {
			theirs = "ann@example.com"
		}
		var answers []string
		for _, of := range []string{theirs, none, "nobody@example.com", "%00", strings.Repeat("a", 5000) + "@example.com"} {
			if of == "nobody@example.com" && c.who == "other" {
				continue
			}
			w := s.ask(c.who, c.method, fmt.Sprintf(c.path, of), "language", "de", "delegate", "sec@example.com")
			if w.Code != http.StatusNotFound {
				t.Errorf("%s %s %s of %.40s: %d", c.who, c.method, c.path, of, w.Code)
			}
			body, _, _ := strings.Cut(w.Body.String(), "<footer") // which has the address that was asked for
			answers = append(answers, body)
		}
		if slices.Sort(answers); len(slices.Compact(answers)) != 1 {
			t.Errorf("%+v: the answers differ: %q", c, answers)
		}
	}
	alias := s.ask("own", "GET", "/people/zoe@example.com") // of a person of the other domain
	if alias.Code != http.StatusNotFound {
		t.Errorf("%d %s", alias.Code, alias.Body)
	}
	for name, want := range map[string]int{"zoe@example.org": 400, "nobody@example.com": 400, "ann@example.com": 400, "": 400, "sec@example.com": 303} {
		if w := s.ask("own", "POST", "/people/ann@example.com/delegates", "delegate", name); w.Code != want {
			t.Errorf("%q as a delegate: %d", name, w.Code)
		}
	}
	for who, want := range map[string]int{"": 401, "audit": 403, "own see people": 403, "desk": 303} {
		if w := s.ask(who, "POST", "/people/ann@example.com", "language", "de"); w.Code != want {
			t.Errorf("%q changes settings: %d", who, w.Code)
		}
	}
	for _, bad := range [][]string{{"language", "xx"}, {"digest", "always"}, {"digest", "daily", "at", "25:00"}, {"digest", "daily"}} {
		if w := s.ask("own", "POST", "/people/ann@example.com", bad...); w.Code != http.StatusBadRequest {
			t.Errorf("%q: %d", bad, w.Code)
		}
	}
}

// TestWithoutSources: where no source says who there is, those are listed of whom something is kept, and each
// address of ours may be a person's.
func TestWithoutSources(t *testing.T) {
	s := newSite(t, "")
	if page := s.ask("own", "GET", "/people").Body.String(); !strings.Contains(page, "Nobody is known here yet.") {
		t.Errorf("%s", page)
	}
	for i := range 120 {
		for _, domain := range []string{"example.com", "example.org"} {
			if err := s.Folk().SetSettings(t.Context(), fmt.Sprintf("p%03d@%s", i, domain), func(n *people.Settings) { n.Language = "es" }); err != nil {
				t.Fatal(err)
			}
		}
	}
	all, path := 0, "/people"
	for pages := 0; path != ""; pages++ {
		page := s.ask("own", "GET", path).Body.String()
		all += strings.Count(page, `<th scope="row"><a href="/people/p`)
		if strings.Contains(page, "example.org") || pages > 5 {
			t.Fatalf("page %d: %s", pages, page)
		}
		_, rest, ok := strings.Cut(page, `<div class="pager"><a class="button" href="`)
		path, _, _ = strings.Cut(rest, `"`)
		if path = strings.ReplaceAll(path, "&amp;", "&"); !ok {
			path = ""
		}
	}
	if all != 120 {
		t.Errorf("%d people", all)
	}
	if page := s.ask("own", "GET", "/people?like=P11").Body.String(); strings.Count(page, `<th scope="row">`) != 10 {
		t.Errorf("%s", page)
	}
	if page := s.ask("own", "GET", "/people?like="+url.QueryEscape(hostile)).Body.String(); strings.Contains(page, "<script>") || !strings.Contains(page, "Nothing") {
		t.Errorf("%s", page)
	}
	if w := s.ask("own", "GET", "/people/new@example.com"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "No directory has this address.") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestBounds: a page looks at few of many people, and says where a search goes on.
func TestBounds(t *testing.T) {
	var text strings.Builder
	text.WriteString("address,name\n")
	for i := range mostLooked + 100 {
		fmt.Fprintf(&text, "p%05d@example.com,Person\n", i)
	}
	s := newSite(t, text.String())
	page := s.ask("own", "GET", fmt.Sprintf("/people?like=p%05d", mostLooked+50)).Body.String()
	if !strings.Contains(page, "Nobody was found so far.") || !strings.Contains(page, "Search on") {
		t.Errorf("%s", page)
	}
	_, rest, _ := strings.Cut(page, `<div class="pager"><a class="button" href="`)
	next, _, _ := strings.Cut(rest, `"`)
	if page := s.ask("own", "GET", strings.ReplaceAll(next, "&amp;", "&")).Body.String(); strings.Count(page, `<th scope="row">`) != 1 || strings.Contains(page, `class="pager"`) {
		t.Errorf("%s", page)
	}
}

// TestStoreFails: a store that does not answer is named, and the page is there.
func TestStoreFails(t *testing.T) {
	s := newSite(t, table)
	s.broke = errors.New("disk on fire")
	if w := s.ask("own", "GET", "/people"); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), `role="alert"`) || strings.Contains(w.Body.String(), "fire") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestLanguages: all texts are there in all languages.
func TestLanguages(t *testing.T) {
	english, err := wording.Read(textFiles, "en")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range wording.Languages() {
		texts, err := wording.Read(textFiles, code)
		if err != nil {
			t.Fatal(err)
		}
		for key := range english {
			if texts[key] == "" {
				t.Errorf("%s has no text for %q", code, key)
			}
		}
		if len(texts) != len(english) {
			t.Errorf("%s has %d texts, English %d", code, len(texts), len(english))
		}
	}
}

// TestLimits sets the limit of the score of a person for it, within the bounds of the host.
func TestLimits(t *testing.T) {
	s := newSite(t, table)
	const path = "/people/ann@example.com"
	is := func(want string) {
		t.Helper()
		if l, err := s.Folk().LimitOf(t.Context(), "ann@example.com"); err != nil || l.String() != want {
			t.Errorf("the limit is %v, %v; want %q", l, err, want)
		}
	}
	if page := s.ask("own", "GET", path).Body.String(); strings.Contains(page, `name="limit"`) {
		t.Errorf("without bounds: %s", page)
	}
	if w := s.ask("own", "POST", path, "limit", "6"); w.Code != http.StatusBadRequest {
		t.Errorf("without bounds: %d", w.Code)
	}
	s.c.People.Score = people.Bounds{Least: 4, Most: 12}
	if w := s.ask("own", "POST", path, "language", "fr", "limit", " 6,5"); w.Code != http.StatusSeeOther {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	is("6.5")
	if page := s.ask("own", "GET", path).Body.String(); !strings.Contains(page, `min="4" max="12" step="any" value="6.5"`) {
		t.Error(page)
	}
	for _, bad := range []string{"3.9", "13", "much", "NaN"} {
		if w := s.ask("own", "POST", path, "language", "es", "limit", bad); w.Code != http.StatusBadRequest {
			t.Errorf("%q: %d", bad, w.Code)
		}
	}
	if got, err := s.Folk().Settings(t.Context(), "ann@example.com"); err != nil || got.Language != "fr" {
		t.Errorf("%+v, %v: settings beside a bad limit were taken over", got, err)
	}
	s.ask("own", "POST", path, "language", "fr") // a form that knows of no limit
	is("6.5")
	if w := s.ask("own", "POST", path, "language", "fr", "limit", ""); w.Code != http.StatusSeeOther {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	is("")
	if !slices.Contains(s.audit, "own change people ann@example.com limit of the score 6.5: done") || !slices.Contains(s.audit, "own change people ann@example.com no limit of the score: done") {
		t.Errorf("%q", s.audit)
	}
}
