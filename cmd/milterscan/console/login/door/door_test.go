package door

import (
	"crypto/tls"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/owner"
	"github.com/milterscan/milterscan/cmd/milterscan/console/wording"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/tell/courier"
)

const good = "correct horse battery"

// house is a console that has nothing but a door, and a room that says who is in it.
type house struct {
	t        *testing.T
	accounts *accounts.Accounts
	owners   *owner.Owners
	post     chan courier.Page // letters that were sent
	whole    *config.Config
	door     *Door
	config   config.Console
	handler  http.Handler
	language string
}

func newHouse(t *testing.T, change func(*config.Console)) *house {
	t.Helper()
	h := &house{t: t, accounts: accounts.New(filepath.Join(t.TempDir(), "console.db")), config: config.Default().Console}
	t.Cleanup(func() { h.accounts.Close() })
	h.config.URL = "https://mx.example.com"
	if change != nil {
		change(&h.config)
	}
	h.lodge()
	var err error
	h.door, err = New(Options{Accounts: h.accounts, Log: zap.NewNop(), Host: "mx.example.com", Owners: h.owners,
		Language: func(*http.Request, login.Person) string { return h.language },
		Layout: func(w http.ResponseWriter, r *http.Request, p login.Person, page Page) {
			w.WriteHeader(page.Status)
			fmt.Fprintf(w, "<title>%s</title>%s", page.Title, page.Body)
		}}, h.config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.door.Close)
	mux := http.NewServeMux()
	for _, route := range h.door.Routes() {
		mux.HandleFunc(route.Method+" "+route.Pattern, route.Handle)
	}
	mux.HandleFunc("GET /room", func(w http.ResponseWriter, r *http.Request) {
		p, err := h.door.Who(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, p.Name, " ", p.Role)
	})
	h.handler = h.door.Load(mux)
	return h
}

func (h *house) add(name string, role login.Role) accounts.Account {
	h.t.Helper()
	a := accounts.Account{Name: name, Role: role}
	if role == login.Domain {
		a.Domains = []string{"example.com"}
	}
	if err := h.accounts.Add(h.t.Context(), a, good); err != nil {
		h.t.Fatal(err)
	}
	return h.reload(name)
}

func (h *house) reload(name string) accounts.Account {
	h.t.Helper()
	a, err := h.accounts.ByName(h.t.Context(), name)
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

// browser keeps our cookie, and follows no redirection.
type browser struct {
	h       *house
	address string
	cookie  *http.Cookie
	tls     *tls.ConnectionState
	header  http.Header

	status int
	to     string // where it was sent
	body   string
}

func (h *house) browser() *browser {
	return &browser{h: h, address: "192.0.2.1:1234", header: http.Header{}}
}

func (b *browser) do(r *http.Request) *browser {
	b.h.t.Helper()
	r.RemoteAddr, r.TLS = b.address, b.tls
	for name, values := range b.header {
		r.Header[name] = values
	}
	if b.cookie != nil {
		r.AddCookie(b.cookie)
	}
	w := httptest.NewRecorder()
	b.h.handler.ServeHTTP(w, r)
	b.status, b.to, b.body = w.Code, w.Header().Get("Location"), w.Body.String()
	for _, c := range w.Result().Cookies() {
		if b.cookie = c; c.MaxAge < 0 {
			b.cookie = nil
		}
	}
	return b
}

func (b *browser) get(path string) *browser {
	b.h.t.Helper()
	return b.do(httptest.NewRequest("GET", path, nil))
}

func (b *browser) post(path string, pairs ...string) *browser {
	b.h.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

func (b *browser) login(name, password string) *browser {
	b.h.t.Helper()
	return b.post("/login", "name", name, "password", password, "next", "/room?x=1")
}

// want fails unless the last answer was this one.
func (b *browser) want(about string, status int, to string) {
	b.h.t.Helper()
	if b.status != status || b.to != to {
		b.h.t.Errorf("%s: %d %q, want %d %q\n%.300s", about, b.status, b.to, status, to, b.body)
	}
}

// room returns who the browser is.
func (b *browser) room() string {
	b.h.t.Helper()
	if b.get("/room"); b.status != http.StatusOK {
		return ""
	}
	return b.body
}

var secretPattern = regexp.MustCompile(`<code class="secret">([A-Z2-7 ]+)</code>`)

// secret reads the secret of a second factor from a page.
func (b *browser) secret() string {
	b.h.t.Helper()
	m := secretPattern.FindStringSubmatch(b.body)
	if m == nil {
		b.h.t.Fatalf("no secret in %s", b.body)
	}
	return strings.ReplaceAll(m[1], " ", "")
}

func codeAt(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, at)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

var codePattern = regexp.MustCompile(`<li><code>([a-z0-9-]+)</code></li>`)

// codes reads recovery codes from a page.
func (b *browser) codes() (all []string) {
	for _, m := range codePattern.FindAllStringSubmatch(b.body, -1) {
		all = append(all, m[1])
	}
	return all
}

func TestLogin(t *testing.T) {
	h := newHouse(t, nil)
	h.add("ann", login.HelpDesk)
	b := h.browser()
	b.get("/account").want("the account of nobody", http.StatusSeeOther, "/login")
	b.get("/login?next=/room?x=1").want("the page", http.StatusOK, "")
	for _, part := range []string{`name="name" autocomplete="username"`, `type="password" autocomplete="current-password"`, `value="/room?x=1"`, `<form method="post" action="/login">`} {
		if !strings.Contains(b.body, part) {
			t.Errorf("the page lacks %s: %s", part, b.body)
		}
	}
	if b.cookie != nil {
		t.Error("one who only looks has a cookie")
	}
	b.login("Ann", good).want("in", http.StatusSeeOther, "/room?x=1")
	if got := b.room(); got != "ann helpdesk" {
		t.Errorf("in the room is %q", got)
	}
	b.get("/login?to=/room").want("who is in", http.StatusSeeOther, "/room")
	b.get("/logout").want("asked", http.StatusOK, "")
	if b.room() == "" {
		t.Error("looking at the page logs out")
	}
	kept := *b.cookie
	b.post("/logout").want("out", http.StatusSeeOther, "/login")
	b.cookie = &kept
	if got := b.room(); got != "" {
		t.Errorf("after logging out the cookie is worth %q", got)
	}
	trail, err := h.accounts.Trail(t.Context(), accounts.Trail{})
	if err != nil || len(trail) != 2 || trail[0].Act != "log out" || trail[1].Act != "log in" || trail[1].Person != "ann" || trail[1].Client != "192.0.2.1" {
		t.Errorf("%+v, %v", trail, err)
	}
}

// TestWrong: whatever is wrong, the answer is the same to the last byte.
func TestWrong(t *testing.T) {
	h := newHouse(t, nil)
	h.add("ann", login.HelpDesk)
	closed := h.add("closed", login.HelpDesk)
	if err := h.accounts.SetDisabled(t.Context(), closed.ID, true); err != nil {
		t.Fatal(err)
	}
	want := ""
	for i, c := range [][2]string{{"ann", "wrong horse battery"}, {"nobody", good}, {"closed", good}, {"", ""}, {"ann", ""}, {strings.Repeat("n", 10<<10), good},
		{"ann\x00", good}, {"ann\r\nSet-Cookie: x=y", good}, {"ann' OR '1'='1", good}, {"<script>alert(1)</script>", good}, {"ldap:ann", good}, {"аnn", good}} {
		b := h.browser()
		b.address = fmt.Sprintf("192.0.2.%d:99", i+1)
		b.login(c[0], c[1])
		b.want(fmt.Sprintf("%.20q", c[0]), http.StatusUnauthorized, "")
		if want == "" {
			want = b.body
		}
		if b.body != want || b.cookie != nil {
			t.Errorf("%.20q: another answer: %s", c[0], b.body)
		}
	}
	trail, err := h.accounts.Trail(t.Context(), accounts.Trail{})
	if err != nil || len(trail) != 12 {
		t.Errorf("%d lines, %v", len(trail), err)
	}
	b := h.browser()
	r := httptest.NewRequest("POST", "/login", strings.NewReader("name="+strings.Repeat("n", 100<<10)))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	b.do(r).want("100 KB", http.StatusBadRequest, "")
}

func TestGuessing(t *testing.T) {
	h := newHouse(t, nil)
	h.add("ann", login.Administrator)
	b := h.browser()
	for range 5 {
		b.login("ann", "wrong horse battery").want("wrong", http.StatusUnauthorized, "")
	}
	b.login("ann", good).want("right, and too late", http.StatusTooManyRequests, "")
	b.login("ＡＮＮ ", good).want("right, too late, and spelt otherwise", http.StatusTooManyRequests, "")
	other := h.browser()
	other.address = "198.51.100.1:5"
	other.login("ann", good).want("from another address", http.StatusSeeOther, "/room?x=1")
	forged := h.browser()
	forged.header.Set("X-Forwarded-For", "198.51.100.77")
	forged.login("ann", good).want("with a field that a browser made up", http.StatusTooManyRequests, "")
}

// TestForgedForms: no other site logs a person in, or does anything in the name of who is in.
func TestForgedForms(t *testing.T) {
	h := newHouse(t, nil)
	h.add("ann", login.Administrator)
	in := h.browser()
	in.login("ann", good)
	for _, route := range h.door.Routes() {
		if route.Method != "POST" {
			continue
		}
		for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
			b := h.browser()
			b.cookie = in.cookie
			b.header.Set(name, value)
			b.post(strings.ReplaceAll(route.Pattern, "{deed}", "disable"), "name", "ann", "password", good).want(route.Pattern+" with "+name, http.StatusForbidden, "")
			if b.cookie == nil {
				t.Errorf("%s logs out", route.Pattern)
			}
		}
	}
	if in.room() == "" {
		t.Error("the session has ended")
	}
}

func TestNext(t *testing.T) {
	for to, want := range map[string]string{
		"":                                "/",
		"/":                               "/",
		"/messages?q=a%20b&x=1":           "/messages?q=a%20b&x=1",
		"/messages/a%2Fb":                 "/messages/a%2Fb",
		"//evil.example":                  "/",
		"/\\evil.example":                 "/",
		"\\\\evil.example":                "/",
		"/%5Cevil.example":                "/",
		"/%2F/evil.example":               "/",
		"///evil.example":                 "/",
		"https://evil.example":            "/",
		"https:/evil.example":             "/",
		"javascript:alert(1)":             "/",
		"evil.example":                    "/",
		"@evil.example":                   "/",
		" //evil.example":                 "/",
		"/\t/evil.example":                "/",
		"/x\r\nSet-Cookie: a=b":           "/",
		"/x\x00":                          "/",
		"/é":                              "/",
		"/login":                          "/",
		"/login?next=/login":              "/",
		"/logout":                         "/",
		"/second":                         "/",
		"/loginless":                      "/loginless",
		"/" + strings.Repeat("x", 10<<10): "/",
		"/x#//evil.example":               "/x",
		"/%zz":                            "/",
	} {
		if got := local(to); got != want {
			t.Errorf("%.40q: %q, want %q", to, got, want)
		}
	}
	h := newHouse(t, nil)
	h.add("ann", login.Auditor)
	h.browser().post("/login?next=/a", "name", "ann", "password", good, "next", "//evil.example").want("in the form", http.StatusSeeOther, "/")
	h.browser().post("/login?next=//evil.example", "name", "ann", "password", good).want("in the address", http.StatusSeeOther, "/")
}

func TestClient(t *testing.T) {
	h := newHouse(t, nil)
	proxied := newHouse(t, func(c *config.Console) {
		c.Proxies = networks(t, "127.0.0.1/32", "10.0.0.0/8", "::1/128")
	})
	for _, c := range []struct {
		h          *house
		peer, hops string
		want       string
	}{
		{h, "192.0.2.1:5", "", "192.0.2.1"},
		{h, "192.0.2.1:5", "198.51.100.1", "192.0.2.1"},
		{h, "[2001:db8::1]:5", "", "2001:db8::1"},
		{h, "[::ffff:192.0.2.1]:5", "", "192.0.2.1"},
		{h, "@", "198.51.100.1", "198.51.100.1"},
		{h, "", "203.0.113.9, 198.51.100.1", "198.51.100.1"},
		{h, "", "", "invalid IP"},
		{h, "", "x", "invalid IP"},
		{proxied, "127.0.0.1:5", "198.51.100.1", "198.51.100.1"},
		{proxied, "[::1]:5", "203.0.113.9, 198.51.100.1, 10.1.1.1", "198.51.100.1"},
		{proxied, "127.0.0.1:5", "203.0.113.9, evil, 10.1.1.1", "10.1.1.1"},
		{proxied, "127.0.0.1:5", "", "127.0.0.1"},
		{proxied, "192.0.2.1:5", "198.51.100.1", "192.0.2.1"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.peer
		if c.hops != "" {
			r.Header.Set("X-Forwarded-For", c.hops)
		}
		if got := c.h.door.client(r).String(); got != c.want {
			t.Errorf("%q, %q: %s, want %s", c.peer, c.hops, got, c.want)
		}
	}
}

// TestChangesAreInForceAtOnce: what is changed about an account is true of those who are in.
func TestChangesAreInForceAtOnce(t *testing.T) {
	h := newHouse(t, nil)
	ann := h.add("ann", login.Administrator)
	in := func() *browser { return h.browser().login("ann", good) }
	b := in()
	if err := h.accounts.SetDisabled(t.Context(), ann.ID, true); err != nil {
		t.Fatal(err)
	}
	if got := b.room(); got != "" {
		t.Errorf("closed, and in the room is %q", got)
	}
	if err := h.accounts.SetDisabled(t.Context(), ann.ID, false); err != nil {
		t.Fatal(err)
	}
	if got := b.room(); got != "" {
		t.Errorf("opened again, and the old session is %q", got)
	}
	b = in()
	if err := h.accounts.SetPassword(t.Context(), ann.ID, good+"!"); err != nil {
		t.Fatal(err)
	}
	if b.room() != "" {
		t.Error("the session outlives the password")
	}
	b = h.browser().login("ann", good+"!")
	if err := h.accounts.Remove(t.Context(), ann.ID); err != nil {
		t.Fatal(err)
	}
	if b.room() != "" {
		t.Error("the session outlives the account")
	}
	h.add("ann", login.Auditor)
	if b.room() != "" {
		t.Error("the session is that of another account of the name")
	}
}

// TestReload: sessions live on under another configuration, which is in force for them.
func TestReload(t *testing.T) {
	h := newHouse(t, nil)
	h.add("ann", login.Administrator)
	b := h.browser().login("ann", good)
	h.config.Idle += 60e9
	if err := h.door.Use(h.config); err != nil || b.room() == "" {
		t.Error("a session ends by a reload:", err)
	}
	h.config.RequireTOTP = []string{"administrator"}
	if err := h.door.Use(h.config); err != nil || b.room() != "" {
		t.Error("without the second factor that is required now:", err)
	}
	h.config.OIDC.Issuer, h.config.OIDC.CAFile = "https://idp.example.com", "/nowhere"
	if err := h.door.Use(h.config); err == nil {
		t.Error("a file of authorities that is not there")
	}
}

// TestPages: all pages can be written in all languages, and have no key without a text.
func TestPages(t *testing.T) {
	h := newHouse(t, func(c *config.Console) { c.RequireTOTP = []string{"domain"} })
	h.add("ann", login.Administrator)
	h.add("dom", login.Domain)
	key := regexp.MustCompile(`\b(title|trouble|done|role|source|right|token|second|setup|recovery|password|tokens|login)-[a-z]`)
	door, err := written()
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range wording.Languages() {
		h.language = code
		if len(door.texts[code]) != len(door.texts["en"]) {
			t.Errorf("%s has %d texts", code, len(door.texts[code]))
		}
		for k, text := range door.texts["en"] {
			other, ok := door.texts[code][k]
			if !ok || other == "" || strings.Count(other, "%") != strings.Count(text, "%") {
				t.Errorf("%s: %q is %q", code, k, other)
			}
		}
		b, d := h.browser(), h.browser()
		pages := []string{b.get("/login").body, b.login("x", "y").body, b.login("ann", good).get("/account").body, b.get("/logout").body,
			b.post("/account/second", "password", good).body, b.post("/account/second/confirm", "code", "1").body,
			b.post("/account/tokens", "name", "t-"+code, "right", "release", "days", "9").body, b.get("/account?done=password").body,
			b.post("/account/password", "password", "x").body, d.login("dom", good).get("/second").body, d.get("/login/oidc").body,
			b.get("/accounts?done=1").body, b.post("/accounts/disable", "name", "ann").body, b.post("/accounts/disable", "name", "x").body, d.get("/accounts").body}
		for i, page := range pages {
			text := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, " ")
			if m := key.FindString(text); m != "" || page == "" || strings.Contains(text, "%!") {
				t.Errorf("%s, page %d: %q in %s", code, i, m, text)
			}
			if strings.Contains(page, "<script") || strings.Contains(page, "style=") || strings.Contains(page, " on") && regexp.MustCompile(` on[a-z]+=`).MatchString(page) {
				t.Errorf("%s, page %d has what the policy of the console forbids", code, i)
			}
		}
		h.door.throttle = newThrottle()
	}
	for _, group := range []struct {
		prefix string
		keys   []string
	}{{"right-", keysOf(login.Rights())}, {"role-", keysOf(login.Roles())}, {"done-", doneKeys}, {"source-", []string{accounts.Local, accounts.LDAP, accounts.OIDC}}} {
		for _, k := range group.keys {
			if door.texts["en"][group.prefix+k] == "" {
				t.Errorf("%s%s has no text", group.prefix, k)
			}
		}
	}
}

// TestKeysOfTemplates: every text that a template or the program asks for by name is there, and each is
// asked for.
func TestKeysOfTemplates(t *testing.T) {
	p, err := parse()
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	files, _ := filepath.Glob("*.go")
	templates, _ := filepath.Glob("templates/*.html")
	for _, name := range append(files, templates...) {
		text := readFile(t, name)
		for _, m := range regexp.MustCompile(`\bt "([a-z-]+)"`).FindAllStringSubmatch(text, -1) {
			used[m[1]] = true
			if p.texts["en"][m[1]] == "" {
				t.Errorf("%s asks for %q", name, m[1])
			}
		}
		for _, m := range regexp.MustCompile(`(?:d\.askAgain|d\.askSecond|d\.wrongWay|d\.say)\((?:w, r, )?.*http\.Status\w+, "([a-z-]+)"\)`).FindAllStringSubmatch(text, -1) {
			used["trouble-"+m[1]] = true
			if p.texts["en"]["trouble-"+m[1]] == "" {
				t.Errorf("%s asks for trouble %q", name, m[1])
			}
		}
	}
	if len(used) < 60 {
		t.Errorf("only %d are found", len(used))
	}
}

// TestFieldsOfOthers: what a browser calls itself is shown as text.
func TestFieldsOfOthers(t *testing.T) {
	h := newHouse(t, nil)
	h.add("ann", login.Administrator)
	b := h.browser()
	b.header.Set("User-Agent", `<img src=x onerror=alert(1)> `+"\u202e"+strings.Repeat("x", 10<<10))
	b.login("ann", good)
	b.get("/account")
	if strings.Contains(b.body, "<img") || strings.Contains(b.body, "\u202e") || !strings.Contains(b.body, html.EscapeString("<img src=x")) || len(b.body) > 30<<10 {
		t.Errorf("%d bytes: %s", len(b.body), b.body)
	}
}

// TestStoreFails: where accounts cannot be looked up, nobody is in, and it is said to be so.
func TestStoreFails(t *testing.T) {
	h := newHouse(t, nil)
	h.add("ann", login.Administrator)
	b := h.browser().login("ann", good)
	h.door.Accounts.Close()
	broken := newHouse(t, nil)
	broken.door.Accounts = accounts.New("/dev/null/console.db")
	broken.config.Idle += 60e9 // or the sessions stay where they were
	if err := broken.door.Use(broken.config); err != nil {
		t.Fatal(err)
	}
	c := broken.browser()
	c.login("ann", good).want("log in", http.StatusServiceUnavailable, "")
	if strings.Contains(c.body, "/dev/null") {
		t.Error("the page tells the path")
	}
	c.cookie = b.cookie
	c.get("/account").want("the account", http.StatusServiceUnavailable, "")
}
