package link

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
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
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/tell/submission"
	"github.com/milterscan/milterscan/policy/token"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/tests/child"
	"github.com/milterscan/milterscan/tests/consoletest"
)

// TestMain looks for goroutines that are left.
func TestMain(m *testing.M) { child.Watched(m) }

var (
	key = []byte(strings.Repeat("k", 32))
	now = time.Now()
)

const (
	id   = "06h08cfwgrgb0001"
	bob  = "bob@example.com"
	text = "From: eve@example.net\r\nSubject: x\r\n\r\nsecret content\r\n"
)

// site is a host with one kept message, and the pages of links.
type site struct {
	*console.Console
	*console.Stores
	mta    *consoletest.MTA
	terms  Terms
	people *people.Store
	keys   error

	mu    sync.Mutex
	audit []string
}

func newSite(t *testing.T) *site {
	t.Helper()
	c := consoletest.Config(t, "")
	s := &site{mta: &consoletest.MTA{}, people: people.New(filepath.Join(t.TempDir(), "people.db")),
		terms: Terms{Classes: []string{"suspicious", "policy", "forbidden"}, Releases: []string{"suspicious", "policy"}, Allow: true, Block: true, Mine: "/mine"}}
	s.Stores = console.NewStores(func() *config.Config { return c }, func(err error) { t.Log(err) })
	t.Cleanup(func() { s.Stores.Close(); s.people.Close() })
	links, err := New(Options{Host: s, Audit: s.Audit, Pages: func() *console.Console { return s.Console }, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	s.Console, err = console.New(console.Options{People: s, Host: s, Log: zap.NewNop(), Now: time.Now, Surface: []console.Surface{links.Surface(s.Who)}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) Who(*http.Request) (login.Person, error) { return login.Person{}, console.ErrNobody }
func (s *site) Audit(_ *http.Request, p login.Person, act login.Right, object, outcome string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.audit = append(s.audit, strings.Join([]string{p.Name, string(p.Role), string(act), object, outcome}, "|"))
	return nil
}
func (s *site) Trail(context.Context, accounts.Trail) ([]accounts.Entry, error) { return nil, nil }
func (s *site) SetLanguage(context.Context, login.Person, string) error         { return nil }
func (s *site) Health() console.Health                                          { return console.Health{} }
func (s *site) Key() ([]byte, error)                                            { return key, s.keys }
func (s *site) Terms() Terms                                                    { return s.terms }
func (s *site) Book() Book                                                      { return s.people }
func (s *site) List(ctx context.Context, e people.Entry) error {
	_, err := s.people.Add(ctx, people.Maker{Name: e.Owner, Level: people.OfRecipient, Terms: people.DefaultTerms()}, e)
	return err
}

// Releaser sends to the MTA of the test.
func (s *site) Releaser(by string) quarantine.Releaser {
	x := s.Stores.Releaser(by)
	x.Sender = s.mta
	return x
}

// keep puts a message into the quarantine.
func (s *site) keep(t *testing.T, change func(*policy.Record)) {
	t.Helper()
	r := policy.Record{Version: policy.RecordVersion, ID: id, Time: now, Sender: "eve@example.net", From: "Eve <eve@example.net>", Subject: "you have won",
		Findings: []policy.RecordFinding{{Kind: scan.Suspicious, Scanner: "spam", Rule: "spam/x"}},
		Verdicts: []policy.RecordVerdict{{Recipients: []string{"Bob@example.com", "ann@example.com"}, Action: "quarantine", Because: 0}}}
	if change != nil {
		change(&r)
	}
	d := quarantine.NewDir(s.Config().Quarantine.Dir, none{}, func(error) {})
	if err := d.Keep(t.Context(), policy.Copy{Record: r, Raw: strings.NewReader(text)}); err != nil {
		t.Fatal(err)
	}
}

// none is an index that is not looked at.
type none struct{ quarantine.Index }

func (none) Put(context.Context, quarantine.Row) error { return nil }

func link(act string, change func(*token.Link)) string {
	l := token.Link{Purpose: token.DigestLink, Address: bob, ID: id, Act: act, Expires: now.Add(time.Hour), Nonce: token.NewNonce()}
	if change != nil {
		change(&l)
	}
	return "/link/" + token.WriteLink(key, l)
}

// ask asks, as a browser does that has the page open.
func (s *site) ask(method, path, form string, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "https://mx.example.com"+path, strings.NewReader(form))
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// state is all that a link could change.
func (s *site) state(t *testing.T) string {
	t.Helper()
	e, err := s.Quarantine().Entry(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.people.Entries(t.Context(), people.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, l := range list {
		said = append(said, string(l.Act)+" "+l.Owner+" "+l.Pattern)
	}
	return strings.Join(append(said, string(e.State), strings.Join(e.Waiting(), " ")), ", ")
}

const untouched = "kept, Bob@example.com ann@example.com"

// Whatever a link checker does but press the button changes nothing.
func TestLinkCheckers(t *testing.T) {
	s := newSite(t)
	s.keep(t, nil)
	for _, act := range []string{"look", "release", "block"} {
		path := link(act, nil)
		for range 2 {
			for _, method := range []string{"GET", "HEAD", "POST"} { // the form without its button
				w := s.ask(method, path, "allow=1", nil)
				if want := map[bool]int{true: 200, false: 400}[method != "POST"]; w.Code != want {
					t.Errorf("%s %s: %d", method, act, w.Code)
				}
				h := w.Header()
				if h.Get("Referrer-Policy") != "no-referrer" || h.Get("Cache-Control") != "no-store" || h.Get("Set-Cookie") != "" || !strings.Contains(h.Get("X-Robots-Tag"), "noindex") {
					t.Errorf("%s %s: %v", method, act, h)
				}
			}
			for _, method := range []string{"OPTIONS", "PUT", "DELETE", "PATCH"} {
				if w := s.ask(method, path, "confirm="+act, nil); w.Code < 400 {
					t.Errorf("%s %s: %d", method, act, w.Code)
				}
			}
		}
		body := s.ask("GET", path, "", nil).Body.String()
		for what, want := range map[string]bool{"you have won": true, "Eve &lt;eve@example.net&gt;": true, "<script": false, "<form method=\"post\">": act != "look", `href="/mine/` + id + `"`: true,
			`value="` + act + `"`: act != "look", "ann@example.com": false, "secret content": false, "<img src=\"http": false} {
			if strings.Contains(body, what) != want {
				t.Errorf("%s: %q is %t in\n%s", act, what, !want, body)
			}
		}
		if n := strings.Count(body, "<button"); n != map[bool]int{true: 1, false: 0}[act != "look"] {
			t.Errorf("%s: %d buttons", act, n)
		}
	}
	if got := s.state(t); got != untouched || len(s.mta.Got) != 0 || len(s.audit) != 0 {
		t.Errorf("changed: %s, %d mails, %v", got, len(s.mta.Got), s.audit)
	}
}

// The button works once, for one recipient.
func TestRelease(t *testing.T) {
	s := newSite(t)
	s.keep(t, nil)
	path := link("release", nil)
	w := s.ask("POST", path, "confirm=release", nil)
	if w.Code != 200 || !strings.Contains(w.Body.String(), "on its way") || len(s.mta.To) != 1 || !slices.Equal(s.mta.To[0], []string{"Bob@example.com"}) {
		t.Fatalf("%d, to %v\n%s", w.Code, s.mta.To, w.Body)
	}
	for range 2 {
		w = s.ask("POST", path, "confirm=release", nil)
		if w.Code != 409 || !strings.Contains(w.Body.String(), "A link works once") || strings.Contains(w.Body.String(), "<button") {
			t.Errorf("%d\n%s", w.Code, w.Body)
		}
	}
	if w = s.ask("GET", path, "", nil); w.Code != 200 || !strings.Contains(w.Body.String(), "This was done already") {
		t.Errorf("%d\n%s", w.Code, w.Body)
	}
	// Another digest's link to the same message.
	other := link("release", nil)
	if w = s.ask("GET", other, "", nil); w.Code != 200 || !strings.Contains(w.Body.String(), "You have this message already") || strings.Contains(w.Body.String(), "<button") {
		t.Errorf("%d\n%s", w.Code, w.Body)
	}
	if w = s.ask("POST", other, "confirm=release", nil); w.Code != 409 || !strings.Contains(w.Body.String(), "You have this message already") {
		t.Errorf("%d\n%s", w.Code, w.Body)
	}
	if w = s.ask("POST", link("release", func(l *token.Link) { l.Address = "ann@example.com" }), "confirm=release", nil); w.Code != 200 || len(s.mta.To) != 2 || s.mta.To[1][0] != "ann@example.com" {
		t.Errorf("ann: %d, to %v\n%s", w.Code, s.mta.To, w.Body)
	}
	if len(s.audit) != 3 || s.audit[0] != "bob@example.com|recipient|release|"+id+"|release by a link in a digest: released" {
		t.Errorf("%q", s.audit)
	}
}

// Of two who press it at the same moment, one has it done.
func TestAtOnce(t *testing.T) {
	s := newSite(t)
	s.keep(t, nil)
	path := link("release", nil)
	codes := make([]int, 8)
	var all sync.WaitGroup
	for i := range codes {
		all.Go(func() { codes[i] = s.ask("POST", path, "confirm=release", nil).Code })
	}
	all.Wait()
	slices.Sort(codes)
	if len(s.mta.Got) != 1 || codes[0] != 200 || codes[1] != 409 {
		t.Errorf("%d mails, %v", len(s.mta.Got), codes)
	}
}

func TestAllow(t *testing.T) {
	s := newSite(t)
	s.keep(t, nil)
	if w := s.ask("POST", link("release", nil), "confirm=release&allow=1", nil); w.Code != 200 || !strings.Contains(w.Body.String(), "is let through from now on") {
		t.Errorf("%d\n%s", w.Code, w.Body)
	}
	list, err := s.people.Entries(t.Context(), people.Filter{})
	if err != nil || len(list) != 1 || list[0].Act != people.Allow || !list[0].Authenticated || list[0].Owner != bob || list[0].Pattern != "eve@example.net" || list[0].Maker != bob {
		t.Errorf("%+v, %v", list, err)
	}
	s = newSite(t)
	s.terms.Allow = false
	s.keep(t, nil)
	path := link("release", nil)
	if strings.Contains(s.ask("GET", path, "", nil).Body.String(), "checkbox") {
		t.Error("it may be ticked")
	}
	if w := s.ask("POST", path, "confirm=release&allow=1", nil); w.Code != 200 || strings.HasPrefix(s.state(t), "allow") {
		t.Errorf("%d, %s", w.Code, s.state(t))
	}
}

func TestBlock(t *testing.T) {
	s := newSite(t)
	s.keep(t, nil)
	path := link("block", nil)
	if w := s.ask("POST", path, "confirm=block", nil); w.Code != 200 || !strings.Contains(w.Body.String(), "The sender is blocked") {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	if got := s.state(t); got != "block bob@example.com eve@example.net, "+untouched {
		t.Errorf("%s", got)
	}
	// Who has taken it off the list does not find it there again by an old link.
	if _, err := s.people.RemoveAll(t.Context(), people.Filter{}); err != nil {
		t.Fatal(err)
	}
	if w := s.ask("POST", path, "confirm=block", nil); w.Code != 409 || s.state(t) != untouched {
		t.Errorf("%d, %s", w.Code, s.state(t))
	}
	if w := s.ask("POST", link("block", func(l *token.Link) { l.Address = "ann@example.com" }), "confirm=release", nil); w.Code != 400 || s.state(t) != untouched {
		t.Errorf("another button: %d, %s", w.Code, s.state(t))
	}
}

// A link does what it was made for, for that message and that person, in time, and only what the host lets
// recipients do at that moment.
func TestWhatALinkDoesNot(t *testing.T) {
	for name, c := range map[string]struct {
		act    string
		link   func(*token.Link)
		path   func(string) string
		record func(*policy.Record)
		site   func(*site)
		code   int
		says   string
	}{
		"altered":           {path: func(p string) string { return p[:len(p)-2] + "AA" }, code: 404, says: "does not lead anywhere"},
		"cut":               {path: func(p string) string { return p[:len(p)-20] }, code: 404, says: "does not lead anywhere"},
		"another purpose":   {link: func(l *token.Link) { l.Purpose = "log in" }, code: 404, says: "does not lead anywhere"},
		"an unknown act":    {act: "delete", code: 404, says: "does not lead anywhere"},
		"expired":           {link: func(l *token.Link) { l.Expires = now.Add(-time.Hour) }, code: 410, says: "has expired"},
		"a clock apart":     {link: func(l *token.Link) { l.Expires = now.Add(-time.Minute) }, code: 200},
		"another message":   {link: func(l *token.Link) { l.ID = "06h08cfwgrgb0002" }, code: 410, says: "not kept any more"},
		"no id":             {link: func(l *token.Link) { l.ID = "../../../etc" }, code: 410, says: "not kept any more"},
		"another person":    {link: func(l *token.Link) { l.Address = "carl@example.com" }, code: 410, says: "not kept any more"},
		"no key":            {site: func(s *site) { s.keys = errors.New("disk") }, code: 503, says: "quarantine"},
		"infected":          {record: func(r *policy.Record) { r.Findings[0].Kind = scan.Infected }, code: 410, says: "not kept any more"},
		"infected as well":  {record: func(r *policy.Record) { r.Findings = append(r.Findings, policy.RecordFinding{Kind: scan.Infected}) }, code: 410, says: "not kept any more"},
		"forbidden":         {record: func(r *policy.Record) { r.Findings[0].Kind = scan.Forbidden }, code: 403, says: "not possible here"},
		"not examined":      {record: func(r *policy.Record) { r.Findings = append(r.Findings, policy.RecordFinding{Kind: scan.Failed}) }, code: 403, says: "not possible here"},
		"not any more":      {site: func(s *site) { s.terms.Releases = nil }, code: 403, says: "not possible here"},
		"not seen any more": {site: func(s *site) { s.terms.Classes = nil }, code: 410, says: "not kept any more"},
		"no lists":          {act: "block", site: func(s *site) { s.terms.Block = false }, code: 403, says: "not possible here"},
		"no sender":         {act: "block", record: func(r *policy.Record) { r.Sender = "" }, code: 403, says: "no sender"},
		"an odd sender":     {act: "block", record: func(r *policy.Record) { r.Sender = "no address" }, code: 409, says: "was not blocked"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.keep(t, c.record)
			if c.site != nil {
				c.site(s)
			}
			act := c.act
			if act == "" {
				act = "release"
			}
			path := link(act, c.link)
			if c.path != nil {
				path = c.path(path)
			}
			w := s.ask("POST", path, "confirm="+act, nil)
			if w.Code != c.code || !strings.Contains(strings.ToLower(w.Body.String()), strings.ToLower(c.says)) {
				t.Errorf("%d\n%s", w.Code, w.Body)
			}
			if c.code != 200 && (s.state(t) != untouched || len(s.mta.Got) > 0) {
				t.Errorf("changed: %s", s.state(t))
			}
			if (c.code == 404 || c.code == 410) && strings.Contains(w.Body.String(), "you have won") {
				t.Error("what is not theirs is shown")
			}
		})
	}
}

// A form of another site is refused, and one of an old browser that does not say where it is from is not.
func TestOrigins(t *testing.T) {
	for name, c := range map[string]struct {
		site, origin string
		code         int
	}{
		"ours": {"same-origin", "null", 200}, "typed in": {"none", "", 200}, "another": {"cross-site", "https://evil.example", 403}, "a sister": {"same-site", "https://x.example.com", 403},
		"nameless, elsewhere": {"cross-site", "null", 403}, "old": {"", "null", 200}, "old, ours": {"", "https://mx.example.com", 200}, "old, another": {"", "https://evil.example", 403},
	} {
		s := newSite(t)
		s.keep(t, nil)
		w := s.ask("POST", link("release", nil), "confirm=release", func(r *http.Request) {
			r.Header.Del("Sec-Fetch-Site")
			for k, v := range map[string]string{"Sec-Fetch-Site": c.site, "Origin": c.origin} {
				if v != "" {
					r.Header.Set(k, v)
				}
			}
		})
		if w.Code != c.code || (len(s.mta.Got) > 0) != (c.code == 200) {
			t.Errorf("%s: %d, %d mails", name, w.Code, len(s.mta.Got))
		}
	}
}

// What did not work may be tried again, and what is not known is not.
func TestAnMTAThatFails(t *testing.T) {
	s := newSite(t)
	s.keep(t, nil)
	path := link("release", nil)
	s.mta.Err = errors.New("connection refused")
	if w := s.ask("POST", path, "confirm=release", nil); w.Code != 503 || strings.Contains(w.Body.String(), "refused") {
		t.Errorf("%d\n%s", w.Code, w.Body)
	}
	s.mta.Err = submission.ErrUnsure
	if w := s.ask("POST", path, "confirm=release", nil); w.Code != 409 || !strings.Contains(w.Body.String(), "not known whether") {
		t.Errorf("%d\n%s", w.Code, w.Body)
	}
	s.mta.Err = nil
	for _, p := range []string{path, link("release", nil)} {
		if w := s.ask("POST", p, "confirm=release", nil); w.Code != 409 || len(s.mta.Got) > 0 {
			t.Errorf("%d, %d mails\n%s", w.Code, len(s.mta.Got), w.Body)
		}
	}
}

// Every page is there in all languages, and every text is used in none of them but as text.
func TestLanguages(t *testing.T) {
	s := newSite(t)
	s.keep(t, func(r *policy.Record) { r.Subject = `<script>alert(1)</script> https://evil.example/ ` + "\u202e" })
	seen := map[string]bool{}
	for _, code := range []string{"en", "de", "fr", "es"} {
		for _, act := range []string{"look", "release", "block"} {
			w := s.ask("GET", link(act, nil), "", func(r *http.Request) { r.Header.Set("Accept-Language", code); r.TLS = &tls.ConnectionState{} })
			body := w.Body.String()
			if !strings.Contains(body, `<html lang="`+code+`">`) || strings.Contains(body, "<script") || strings.Contains(body, "\u202e") || strings.Contains(body, "href=\"https://evil") || seen[body] {
				t.Errorf("%s, %s:\n%s", code, act, body)
			}
			seen[body] = true
		}
	}
	links, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for code, texts := range links.texts {
		for k := range links.texts["en"] {
			if strings.TrimSpace(texts[k]) == "" {
				t.Errorf("%s: no %q", code, k)
			}
		}
		if len(texts) != len(links.texts["en"]) {
			t.Errorf("%s: %d texts", code, len(texts))
		}
		for _, class := range quarantine.Classes() {
			if texts["class-"+class] == "" {
				t.Errorf("%s: no class-%s", code, class)
			}
		}
		for _, state := range []string{"look", "used", "had", "released", "allowed", "released-notlisted", "blocked", "notlisted", "unsure", "invalid", "expired", "gone", "forbidden", "nosender"} {
			if texts["title-"+state] == "" || texts["said-"+state] == "" && state != "used" {
				t.Errorf("%s: no texts of %s", code, state)
			}
		}
	}
	if _, err := url.Parse(link("look", nil)); err != nil {
		t.Error(err)
	}
}
