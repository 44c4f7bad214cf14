package daemon

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/policy"
	store "github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/token"
	"github.com/milterscan/milterscan/scan"
)

// matrixSettings let persons of all roles in.
const matrixSettings = matrixBase + `[people.domain_admins]
may = ["messages", "quarantine", "content", "release", "delete", "lists", "requests", "people", "settings", "export", "api"]
`

// matrixBase is matrixSettings without what is left to administrators of domains.
const matrixBase = plain + `[console]
listen = ["unix:DIR/pages"]
file = "DIR/console.db"
url = "http://milterscan"
[local]
domains = ["example.com", "example.org"]
[submission]
via = "sendmail:/bin/false"
[people]
file = "DIR/people.db"
[people.pages]
login = ["link"]
learn = true
[spam.rspamd]
controller = "unix:DIR/rspamd"
[[people.source]]
name = "staff"
type = "csv"
file = "DIR/people.csv"
domains = ["example.com", "example.org"]
`

// member is a person of the matrix, with the session that the person has.
type member struct {
	name    string
	role    login.Role // "" for a visitor without an account
	bound   bool       // sees some mail only
	cookies []*http.Cookie
}

// club is a daemon with persons of all roles.
type club struct {
	*running
	n       int // messages that are kept
	members []*member
}

func newClub(t *testing.T) *club {
	t.Helper()
	dir := t.TempDir()
	table := "address,name,delegates\nann@example.com,Ann,sec@example.com\nsec@example.com,Secretary,\nzoe@example.org,Zoe,\n"
	if err := os.WriteFile(filepath.Join(dir, "people.csv"), []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &club{running: start(t, dir, matrixSettings)}
	c.await("log", `"ready"`)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if _, ok := c.d.Directory.Who("sec@example.com"); ok {
			break
		}
	}
	for name, role := range map[string]login.Role{"root": login.Administrator, "desk": login.HelpDesk, "audit": login.Auditor, "dora": login.Domain} {
		a := accounts.Account{Name: name, Role: role}
		if role == login.Domain {
			a.Domains = []string{"example.com"}
		}
		if err := c.d.people.accounts.Add(t.Context(), a, "correct horse battery"); err != nil {
			t.Fatal(err)
		}
		m := &member{name: name, role: role, bound: role == login.Domain}
		c.post(m, "/login", "name", name, "password", "correct horse battery")
		c.members = append(c.members, m)
	}
	c.members = append(c.members, c.recipient("ann@example.com"), c.recipient("sec@example.com"), &member{name: "nobody"})
	return c
}

// recipient lets in the owner of an address by a link, as the mail has it.
func (c *club) recipient(address string) *member {
	c.t.Helper()
	m := &member{name: address, role: login.Recipient, bound: true, cookies: []*http.Cookie{{Name: "milterscan-link", Value: "a browser"}}}
	key, err := c.d.linkKey()
	if err != nil {
		c.t.Fatal(err)
	}
	sum := sha256.Sum256([]byte("milterscan browser\na browser"))
	link := token.WriteLink(key, token.Link{Purpose: token.LogInLink, Address: address, ID: hex.EncodeToString(sum[:12]), Expires: time.Now().Add(time.Hour), Nonce: token.NewNonce()})
	if w := c.post(m, "/login/link/"+link); w.Code != http.StatusSeeOther {
		c.t.Fatalf("%s is not let in: %d %s", address, w.Code, w.Body)
	}
	return m
}

// answer has the console answer a request.
func (c *club) answer(w http.ResponseWriter, r *http.Request) {
	pages, err := c.d.console.handler()
	if err != nil {
		c.t.Fatal(err)
	}
	pages.ServeHTTP(w, r)
}

// do has the console answer a member, and keeps the cookies.
func (c *club) do(m *member, method, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr = "192.0.2.9:1"
	for _, cookie := range m.cookies {
		r.AddCookie(cookie)
	}
	w := httptest.NewRecorder()
	c.answer(w, r)
	return w
}

// post logs a member in.
func (c *club) post(m *member, path string, pairs ...string) *httptest.ResponseRecorder {
	c.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	w := c.do(m, "POST", path, form)
	m.cookies = append(m.cookies, w.Result().Cookies()...)
	return w
}

// keep keeps a message for somebody, with a request about it, and returns the ids of both.
func (c *club) keep(to string) (id, request string) {
	c.t.Helper()
	c.n++
	id = fmt.Sprintf("06h08cfwgrgb%04d", c.n)
	found := policy.RecordFinding{Kind: scan.Suspicious, Scanner: "content", Rule: "content/odd", Detail: "x"}
	r := policy.Record{Version: policy.RecordVersion, ID: id, Time: time.Now().UTC().Truncate(time.Millisecond), Action: "quarantine", Stage: "message", Direction: "inbound", Sender: "eve@example.net",
		Subject: "kept", Findings: []policy.RecordFinding{found}, Recipients: []policy.RecordRecipient{{Recipient: to, Action: "quarantine", Rule: "r", Because: &found}},
		Verdicts: []policy.RecordVerdict{{Recipients: []string{to}, Action: "quarantine", Kept: true, Because: 0, Rule: &policy.RecordRule{Name: "r"}}}}
	if err := c.d.Stores.Quarantine(c.d.config.Load()).Keep(c.t.Context(), policy.Copy{Record: r, Raw: strings.NewReader("Subject: kept\r\n\r\nbody\r\n")}); err != nil {
		c.t.Fatal(err)
	}
	n, err := c.d.Stores.People(c.d.config.Load()).Ask(c.t.Context(), store.Request{Kind: store.AppealRequest, Message: id, Address: to, Who: "eve@example.net", Text: "please", Time: time.Now()})
	if err != nil {
		c.t.Fatal(err)
	}
	return id, fmt.Sprint(n)
}

// whoseOf returns the person of whom routes about persons are asked, where those about messages have an id: zoe has the
// first message, and no person the last.
func whoseOf(id string) string {
	switch id {
	case "06h08cfwgrgb0001":
		return "zoe@example.org"
	case "06h08cfwgrgb9999":
		return "nobody@example.org"
	}
	return "ann@example.com"
}

// about returns the path of a route about a message, or the request about it.
func about(route console.Route, id, request string) string {
	if strings.HasPrefix(route.Pattern, "/requests/") {
		id = request
	}
	return strings.NewReplacer("{$}", "", "{id}", id, "{part}", "0", "{sum}", "x", "{until}", "1", "{mark}", "x", "{deed}", "disable", "{link}", "x", "{address}", whoseOf(id), "{name}", "dora", "{token}", "x", "{page}", "config").Replace(route.Pattern)
}

// full is a form with all that acts ask for.
var full = url.Values{"to": {"ann@example.com"}, "sure": {"1"}, "answer": {"granted"}, "text": {"please"}, "reason": {"please"}, "language": {"en"}, "delegate": {"sec@example.com"}}

// numbers are what differs in answers about different messages.
var idsOf = regexp.MustCompile(`06h08cfwgrgb\d{4}|/requests/\d+|(zoe|nobody)@example\.org|%40example\.org`)

// TestMatrix asks for everything that the console serves, pages, log-in, API, pages of recipients and
// of senders, as each role, a delegate and nobody: who may not is told so, or to log in; and of a message
// or request that is another's each hears what it hears of one that never was.
func TestMatrix(t *testing.T) {
	c := newClub(t)
	routes := c.d.people.pages().Routes()
	zoe, hers := c.keep("zoe@example.org")
	n := 0
	for _, route := range routes {
		if strings.HasPrefix(route.Pattern, "/api/") || route.Pattern == "/logout" || strings.HasPrefix(route.Pattern, "/account/") {
			continue // a session is no token, and ends here
		}
		for _, m := range c.members {
			n++
			name := route.Method + " " + route.Pattern + " by " + m.name
			id, request := c.keep("ann@example.com")
			own := c.do(m, route.Method, about(route, id, request), full)
			switch {
			case route.Open:
				if own.Code == http.StatusUnauthorized && !strings.HasPrefix(route.Pattern, "/login") || own.Code >= 500 {
					t.Errorf("%s: %d", name, own.Code)
				}
				continue
			case m.role == "":
				if to := own.Header().Get("Location"); route.Method == "GET" && (own.Code != http.StatusSeeOther || !strings.HasPrefix(to, "/login")) || route.Method != "GET" && own.Code != http.StatusUnauthorized {
					t.Errorf("%s: %d %s", name, own.Code, to)
				}
				continue
			case route.Right != "" && !m.role.Has(route.Right):
				if own.Code != http.StatusForbidden {
					t.Errorf("%s: %d", name, own.Code)
				}
			case own.Code == http.StatusUnauthorized || own.Code == http.StatusForbidden && route.Method == "GET":
				t.Errorf("%s: %d %.500s", name, own.Code, own.Body)
			}
			if m.bound && (strings.Contains(route.Pattern, "{id}") || strings.Contains(route.Pattern, "{address}")) {
				another := c.do(m, route.Method, about(route, zoe, hers), full)
				none := c.do(m, route.Method, about(route, "06h08cfwgrgb9999", "999999"), full)
				alike := func(w *httptest.ResponseRecorder) string { return idsOf.ReplaceAllString(w.Body.String(), "") }
				if another.Code != none.Code || another.Code < 400 || alike(another) != alike(none) || len(another.Header()) != len(none.Header()) {
					t.Errorf("%s: of another's %d, of none %d\n%s\n%s", name, another.Code, none.Code, alike(another), alike(none))
				}
			}
		}
	}
	if n < 300 {
		t.Errorf("%d questions for %d routes", n, len(routes))
	}
	if e, err := c.d.Stores.Quarantine(c.d.config.Load()).Entry(t.Context(), zoe); err != nil || len(e.Events) > 0 {
		t.Errorf("something was done with the message of another: %+v, %v", e.Events, err)
	}
}

// TestSessionIsNoToken: the API answers nobody who has logged in with a browser.
func TestSessionIsNoToken(t *testing.T) {
	c := newClub(t)
	for _, route := range c.d.people.pages().Routes() {
		if !strings.HasPrefix(route.Pattern, "/api/v1/") {
			continue
		}
		i := slices.IndexFunc(c.members, func(m *member) bool { return m.role == login.Administrator })
		if w := c.do(c.members[i], route.Method, about(route, "06h08cfwgrgb9999", "1"), nil); w.Code != http.StatusUnauthorized {
			t.Errorf("%s %s: %d", route.Method, route.Pattern, w.Code)
		}
	}
}
