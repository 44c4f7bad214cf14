package door

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/throttle"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/tests/fakes"
)

func newThrottle() *throttle.Throttle { return throttle.New() }

func keysOf[T ~string](list []T) (all []string) {
	for _, one := range list {
		all = append(all, string(one))
	}
	return all
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func networks(t *testing.T, list ...string) (all []policy.Network) {
	t.Helper()
	for _, s := range list {
		var n policy.Network
		if err := n.UnmarshalText([]byte(s)); err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	return all
}

// TestSecondFactor: who must have a second factor sets it up when logging in, and is asked for it from then on.
func TestSecondFactor(t *testing.T) {
	h := newHouse(t, func(c *config.Console) { c.RequireTOTP = []string{"administrator"} })
	h.add("ann", login.Administrator)
	b := h.browser()
	b.get("/second").want("without logging in", http.StatusSeeOther, "/login")
	b.login("ann", good).want("to set it up", http.StatusSeeOther, "/second?next=%2Froom%3Fx%3D1")
	for _, path := range []string{"/room", "/account"} {
		if b.get(path); b.status == http.StatusOK {
			t.Errorf("%s is open without the second factor", path)
		}
	}
	b.get("/second?next=%2Froom%3Fx%3D1").want("the page", http.StatusOK, "")
	secret := b.secret()
	if !strings.Contains(b.body, "<svg") || !strings.Contains(b.body, "otpauth://totp/") || !strings.Contains(b.body, `autocomplete="one-time-code"`) {
		t.Errorf("%s", b.body)
	}
	if b.get("/second"); b.secret() != secret {
		t.Error("the secret is another after the page was loaded again")
	}
	first := *b.cookie
	b.post("/second", "code", "000000").want("a wrong code", http.StatusUnauthorized, "")
	code := codeAt(t, secret, time.Now())
	b.post("/second", "code", code, "next", "/room").want("set up", http.StatusOK, "")
	recovery := b.codes()
	if len(recovery) != 10 || !strings.Contains(b.body, `href="/room"`) {
		t.Errorf("%s", b.body)
	}
	if b.room() != "ann administrator" {
		t.Error("not in the room")
	}
	old := h.browser()
	old.cookie = &first
	if old.room() != "" || old.get("/second").status == http.StatusOK {
		t.Error("the cookie from before the second factor is worth something")
	}

	c := h.browser()
	c.login("ann", good).want("asked for", http.StatusSeeOther, "/second?next=%2Froom%3Fx%3D1")
	if c.get("/second"); strings.Contains(c.body, "<svg") || strings.Contains(c.body, secret) {
		t.Error("the secret is shown again")
	}
	c.post("/second", "code", code).want("the code it was set up with", http.StatusUnauthorized, "")
	if c.room() != "" {
		t.Error("in the room")
	}
	c.post("/second", "code", recovery[0], "next", "/room").want("a recovery code", http.StatusSeeOther, "/room")
	if c.room() != "ann administrator" {
		t.Error("not in the room")
	}
	d := h.browser()
	d.login("ann", good)
	d.post("/second", "code", recovery[0]).want("the recovery code once more", http.StatusUnauthorized, "")
	d.post("/second", "code", codeAt(t, secret, time.Now().Add(30*time.Second)), "next", "//evil.example").want("the next code", http.StatusSeeOther, "/")
}

// TestGuessingCodes: some wrong codes end a log-in, and further ones have to wait.
func TestGuessingCodes(t *testing.T) {
	h := newHouse(t, func(c *config.Console) { c.RequireTOTP = []string{"administrator"} })
	ann := h.add("ann", login.Administrator)
	b := h.browser()
	b.login("ann", good).get("/second")
	secret := b.secret()
	b.post("/second", "code", codeAt(t, secret, time.Now()))
	b = h.browser()
	b.login("ann", good)
	for range mostTries - 1 {
		b.post("/second", "code", "1").want("wrong", http.StatusUnauthorized, "")
	}
	if b.post("/second", "code", "1"); b.cookie != nil || b.status != http.StatusUnauthorized {
		t.Errorf("after some wrong codes: %d %v", b.status, b.cookie)
	}
	b.post("/second", "code", codeAt(t, secret, time.Now().Add(30*time.Second))).want("the session has ended", http.StatusSeeOther, "/login")
	b.login("ann", good)
	b.post("/second", "code", codeAt(t, secret, time.Now().Add(30*time.Second))).want("too many tries", http.StatusTooManyRequests, "")
	other := h.browser()
	other.address = "198.51.100.1:1"
	other.login("ann", good)
	other.post("/second", "code", codeAt(t, secret, time.Now().Add(30*time.Second)), "next", "/room").want("at another address", http.StatusSeeOther, "/room")
	list, err := h.accounts.Trail(t.Context(), accounts.Trail{Person: ann.Name, Act: "second factor"})
	if err != nil || len(list) != mostTries+2 {
		t.Errorf("%d lines, %v", len(list), err)
	}
}

// TestCodeIsGoodOnce: one code that is sent at the same moment from many places opens one session.
func TestCodeIsGoodOnce(t *testing.T) {
	h := newHouse(t, func(c *config.Console) { c.RequireTOTP = []string{"administrator"} })
	h.add("ann", login.Administrator)
	b := h.browser()
	b.login("ann", good).get("/second")
	secret := b.secret()
	b.post("/second", "code", codeAt(t, secret, time.Now()))
	code := codeAt(t, secret, time.Now().Add(30*time.Second))
	var in atomic.Int32
	var all sync.WaitGroup
	browsers := make([]*browser, 8)
	for i := range browsers {
		browsers[i] = h.browser()
		browsers[i].address = "198.51.100." + string(rune('1'+i)) + ":1"
		browsers[i].login("ann", good)
	}
	for _, b := range browsers {
		all.Go(func() {
			if b.post("/second", "code", code, "next", "/room"); b.status == http.StatusSeeOther && b.to == "/room" {
				in.Add(1)
			}
		})
	}
	all.Wait()
	if in.Load() != 1 {
		t.Errorf("%d are in", in.Load())
	}
}

func TestAccount(t *testing.T) {
	h := newHouse(t, nil)
	h.add("ann", login.HelpDesk)
	h.add("bob", login.HelpDesk)
	b, other, bob := h.browser().login("ann", good), h.browser().login("ann", good), h.browser().login("bob", good)
	const fresh = "another horse battery"
	for about, form := range map[string][]string{
		"a wrong password":  {"password", "x", "new", fresh, "again", fresh},
		"no password":       {"new", fresh, "again", fresh},
		"two that differ":   {"password", good, "new", fresh, "again", fresh + "x"},
		"too short":         {"password", good, "new", "short", "again", "short"},
		"the name":          {"password", good, "new", "annannannann", "again", "annannannann"},
		"control character": {"password", good, "new", fresh + "\n", "again", fresh + "\n"},
	} {
		if b.post("/account/password", form...); b.status < 400 || b.status > 403 {
			t.Errorf("%s: %d", about, b.status)
		}
		h.door.throttle = newThrottle()
	}
	if b.room() == "" || other.room() == "" {
		t.Error("a session ended for nothing")
	}
	before := b.cookie.Value
	b.post("/account/password", "password", good, "new", fresh, "again", fresh).want("changed", http.StatusSeeOther, "/account?done=password")
	if b.room() == "" || b.cookie.Value == before || other.room() != "" || bob.room() == "" {
		t.Errorf("after it: %q %q %q", b.room(), other.room(), bob.room())
	}
	other.login("ann", fresh)
	list, err := h.accounts.Sessions(t.Context(), h.reload("bob").ID)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	b.post("/account/sessions", "session", list[0].Handle)
	if bob.room() == "" {
		t.Error("ann has ended a session of bob")
	}
	list, err = h.accounts.Sessions(t.Context(), h.reload("ann").ID)
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v %v", list, err)
	}
	b.get("/account")
	for _, s := range list {
		if strings.Contains(b.body, `value="`+s.Handle+`"`) {
			b.post("/account/sessions", "session", s.Handle).want("ended", http.StatusSeeOther, "/account?done=session")
		}
	}
	if other.room() != "" || b.room() == "" {
		t.Errorf("after ending the other: %q %q", other.room(), b.room())
	}
	other.login("ann", fresh)
	b.post("/account/sessions/all").want("all", http.StatusSeeOther, "/account?done=sessions")
	if other.room() != "" || b.room() == "" {
		t.Errorf("after ending all others: %q %q", other.room(), b.room())
	}
}

// TestOwnSecondFactor: a person may set a second factor up, make other recovery codes, and turn it off, with the
// password or a code each time.
func TestOwnSecondFactor(t *testing.T) {
	h := newHouse(t, nil)
	h.add("ann", login.HelpDesk)
	b := h.browser().login("ann", good)
	b.post("/account/second/confirm", "code", "000000").want("not begun", http.StatusBadRequest, "")
	b.post("/account/second").want("without the password", http.StatusForbidden, "")
	b.post("/account/second", "password", good).want("begun", http.StatusOK, "")
	secret := b.secret()
	b.post("/account/second/confirm", "code", "000000").want("a wrong code", http.StatusBadRequest, "")
	other := h.browser().login("ann", good)
	b.post("/account/second/confirm", "code", codeAt(t, secret, time.Now())).want("confirmed", http.StatusOK, "")
	recovery := b.codes()
	if len(recovery) != 10 || b.room() == "" || other.room() != "" {
		t.Errorf("%d codes, %q, %q", len(recovery), b.room(), other.room())
	}
	b.post("/account/second", "password", good).want("another one", http.StatusBadRequest, "")
	b.post("/account/recovery", "code", "x").want("other codes, without a code", http.StatusForbidden, "")
	b.post("/account/recovery", "code", recovery[0]).want("other codes", http.StatusOK, "")
	if again := b.codes(); len(again) != 10 || again[0] == recovery[0] {
		t.Errorf("%v", again)
	}
	b.post("/account/second/remove", "code", recovery[1]).want("off, by an old code", http.StatusForbidden, "")
	h.config.RequireTOTP = []string{"helpdesk"}
	if err := h.door.Use(h.config); err != nil {
		t.Fatal(err)
	}
	b.post("/account/second/remove", "code", codeAt(t, secret, time.Now().Add(30*time.Second))).want("off, where it is required", http.StatusForbidden, "")
	h.config.RequireTOTP = nil
	if err := h.door.Use(h.config); err != nil {
		t.Fatal(err)
	}
	b.post("/account/second/remove", "code", codeAt(t, secret, time.Now().Add(30*time.Second))).want("off", http.StatusSeeOther, "/account?done=second-removed")
	h.browser().login("ann", good).want("without it", http.StatusSeeOther, "/room?x=1")
}

func TestTokensOfAnAccount(t *testing.T) {
	h := newHouse(t, nil)
	h.add("ann", login.Auditor)
	b := h.browser().login("ann", good)
	for about, form := range map[string][]string{
		"no name":            {"right", "see messages", "days", "1"},
		"no right":           {"name", "x", "days", "1"},
		"a right it has not": {"name", "x", "right", "release", "days", "1"},
		"no such right":      {"name", "x", "right", "fly", "days", "1"},
		"no end":             {"name", "x", "right", "see messages"},
		"an end too far off": {"name", "x", "right", "see messages", "days", "99999999999999"},
	} {
		b.post("/account/tokens", form...).want(about, http.StatusBadRequest, "")
	}
	b.post("/account/tokens", "name", "<b>", "right", "see messages", "days", "1").want("made", http.StatusOK, "")
	_, rest, _ := strings.Cut(b.body, `<code class="secret">`)
	token, _, _ := strings.Cut(rest, "<")
	p, err := h.accounts.Bearer(t.Context(), token)
	if err != nil || p.Name != "ann" || p.May(login.SeeContent) || !p.May(login.SeeMessages) {
		t.Errorf("%q: %+v, %v", token, p, err)
	}
	if b.get("/account"); strings.Contains(b.body, token) || strings.Contains(b.body, "<b>") {
		t.Error("the token is shown again, or its name is markup")
	}
	b.post("/account/tokens/remove", "name", "<b>").want("removed", http.StatusSeeOther, "/account?done=token-removed")
	if _, err := h.accounts.Bearer(t.Context(), token); err == nil {
		t.Error("it is good still")
	}
}

// certificate returns what a connection knows of a client that has shown a certificate.
func certificate(t *testing.T, name string, mails ...string) *tls.ConnectionState {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, EmailAddresses: mails, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}, VerifiedChains: [][]*x509.Certificate{{leaf}}}
}

func TestCertificates(t *testing.T) {
	h := newHouse(t, func(c *config.Console) { c.ClientCA = "/etc/milterscan/clients.pem" })
	h.add("ann", login.Administrator)
	closed := h.add("closed", login.Administrator)
	if err := h.accounts.SetDisabled(t.Context(), closed.ID, true); err != nil {
		t.Fatal(err)
	}
	b := h.browser()
	b.post("/login/certificate").want("no certificate", http.StatusUnauthorized, "")
	b.tls = certificate(t, "ann")
	b.tls.VerifiedChains = nil
	b.post("/login/certificate").want("one that was not verified", http.StatusUnauthorized, "")
	for _, name := range []string{"nobody", "closed", "", "ann\x00", "ldap:ann", strings.Repeat("n", 60)} {
		b.tls = certificate(t, name)
		b.post("/login/certificate").want("that of "+name, http.StatusUnauthorized, "")
	}
	b.tls = certificate(t, "Ann")
	if b.get("/login"); !strings.Contains(b.body, "/login/certificate") {
		t.Error("the page does not offer it")
	}
	b.post("/login/certificate", "next", "/room").want("that of ann", http.StatusSeeOther, "/room")
	if b.room() != "ann administrator" {
		t.Error("not in the room")
	}
	thief := h.browser()
	thief.cookie = b.cookie
	if got := thief.room(); got != "" {
		t.Errorf("the cookie without the certificate is worth %q", got)
	}
	thief.tls = certificate(t, "Ann")
	if got := thief.room(); got != "" {
		t.Errorf("the cookie with another certificate is worth %q", got)
	}
	if b.post("/account/sessions/all"); b.room() == "" {
		t.Error("the session has lost its certificate")
	}
	h.config.ClientName = "email"
	if err := h.door.Use(h.config); err != nil {
		t.Fatal(err)
	}
	if err := h.accounts.Add(t.Context(), accounts.Account{Name: "ann@example.com", Role: login.Auditor}, ""); err != nil {
		t.Fatal(err)
	}
	c := h.browser()
	c.tls = certificate(t, "ann", "ann@example.com", "bob@example.com")
	c.post("/login/certificate").want("two addresses", http.StatusUnauthorized, "")
	c.tls = certificate(t, "bob", "ann@example.com")
	c.post("/login/certificate", "next", "/room").want("by address", http.StatusSeeOther, "/room")
	if got := c.room(); got != "ann@example.com auditor" {
		t.Error(got)
	}
}

func TestProvider(t *testing.T) {
	idp, err := fakes.NewIDP()
	if err != nil {
		t.Fatal(err)
	}
	defer idp.Close()
	t.Setenv("MILTERSCAN_TEST_OIDC", "s3cret")
	h := newHouse(t, func(c *config.Console) {
		c.OIDC.Issuer, c.OIDC.ClientID, c.OIDC.SecretFile = idp.URL, "mx", "env:MILTERSCAN_TEST_OIDC"
		c.OIDC.Roles = map[string][]string{"auditor": {"admins"}}
		c.RequireTOTP = []string{"auditor"} // which the provider asks for
	})
	h.add("ann", login.Administrator)
	b := h.browser()
	if b.get("/login?next=/room"); !strings.Contains(b.body, `href="/login/oidc?next=%2froom"`) && !strings.Contains(b.body, `href="/login/oidc?next=%2Froom"`) {
		t.Errorf("the page does not offer it: %s", b.body)
	}
	begin := func(b *browser) url.Values {
		t.Helper()
		b.get("/login/oidc?next=/room")
		u, err := url.Parse(b.to)
		if err != nil || b.status != http.StatusSeeOther || !strings.HasPrefix(b.to, idp.URL+"/auth?") {
			t.Fatal(b.status, b.to, err)
		}
		return u.Query()
	}
	callback := func(b *browser, q url.Values) *browser { return b.get("/login/oidc/callback?" + q.Encode()) }
	back := idp.Visit(begin(b), nil)
	planted := *b.cookie
	thief := h.browser()
	callback(thief, back).want("in another browser", http.StatusUnauthorized, "")
	begin(thief)
	callback(thief, back).want("in another browser that has begun one too", http.StatusUnauthorized, "")
	back = idp.Visit(begin(b), nil)
	callback(b, back).want("in order", http.StatusSeeOther, "/room")
	if got := b.room(); got != "oidc:ann auditor" {
		t.Errorf("in the room is %q", got)
	}
	thief.cookie = &planted
	if thief.room() != "" {
		t.Error("the cookie from before is worth something")
	}
	callback(b, back).want("once more", http.StatusUnauthorized, "")
	c := h.browser()
	callback(c, idp.Visit(begin(c), map[string]any{"groups": "staff"})).want("no role", http.StatusUnauthorized, "")
	callback(c, idp.Visit(begin(c), map[string]any{"nonce": "x"})).want("another nonce", http.StatusUnauthorized, "")
	callback(c, idp.Visit(begin(c), map[string]any{"sub": "another"})).want("another person of the name", http.StatusUnauthorized, "")
	if c.room() != "" {
		t.Error("in the room")
	}
	account := h.reload("oidc:ann")
	if err := h.accounts.SetDisabled(t.Context(), account.ID, true); err != nil {
		t.Fatal(err)
	}
	if b.room() != "" {
		t.Error("closed, and in the room")
	}
	callback(c, idp.Visit(begin(c), nil)).want("closed", http.StatusUnauthorized, "")
	c.login("oidc:ann", good).want("by a password", http.StatusUnauthorized, "")
	idp.Close()
	down := newHouse(t, func(c *config.Console) { c.OIDC.Issuer, c.OIDC.ClientID = idp.URL, "mx" })
	down.browser().get("/login/oidc").want("the provider is down", http.StatusBadGateway, "")
	newHouse(t, nil).browser().get("/login/oidc").want("no provider", http.StatusNotFound, "")
}

// TestDirectoryIsDown: accounts here log in as ever, and the answer for others is the one for a wrong password.
func TestDirectoryIsDown(t *testing.T) {
	h := newHouse(t, func(c *config.Console) {
		c.LDAP.URL, c.LDAP.StartTLS, c.LDAP.Base = "ldap://127.0.0.1:1", false, "dc=example,dc=com"
		c.LDAP.Roles = map[string][]string{"auditor": {"cn=x"}}
	})
	h.add("ann", login.Administrator)
	h.browser().login("ann", good).want("an account here", http.StatusSeeOther, "/room?x=1")
	begun := time.Now()
	b := h.browser().login("carl", good)
	b.want("one of the directory", http.StatusUnauthorized, "")
	if took := time.Since(begun); took < failsAfter {
		t.Errorf("it took %v", took)
	}
	begun = time.Now()
	c := h.browser().login("ann", "wrong horse battery")
	c.want("an account here, and a wrong password", http.StatusUnauthorized, "")
	if took := time.Since(begun); took < failsAfter || c.body != b.body || !strings.Contains(c.body, "directory does not answer") {
		t.Errorf("it took %v; %s", took, c.body)
	}
}

// TestPeople: who may manage users closes and opens accounts of others, and no other person does.
func TestPeople(t *testing.T) {
	h := newHouse(t, nil)
	h.add("root", login.Administrator)
	roles := map[string]login.Role{"desk": login.HelpDesk, "eye": login.Auditor, "dom": login.Domain}
	for name, role := range roles {
		h.add(name, role)
	}
	root, bob := h.browser().login("root", good), h.browser()
	if h.add("bob", login.HelpDesk); bob.login("bob", good).room() == "" {
		t.Fatal("bob is not in")
	}
	h.browser().get("/accounts").want("nobody", http.StatusSeeOther, "/login")
	for name := range roles {
		b := h.browser().login(name, good)
		b.get("/accounts").want(name, http.StatusForbidden, "")
		for deed := range deeds {
			b.post("/accounts/"+deed, "name", "bob").want(name, http.StatusForbidden, "")
		}
	}
	if bob.room() == "" {
		t.Fatal("bob is out")
	}
	if root.get("/accounts"); strings.Count(root.body, `formaction="/accounts/disable"`) != 4 {
		t.Errorf("%s", root.body)
	}
	root.post("/accounts/disable", "name", "root").want("oneself", http.StatusForbidden, "")
	root.post("/accounts/disable", "name", "zoe").want("nobody", http.StatusNotFound, "")
	root.post("/accounts/explode", "name", "bob").want("no deed", http.StatusNotFound, "")
	root.post("/accounts/sessions", "name", "bob").want("sessions", http.StatusSeeOther, "/accounts?done=1")
	if bob.room() != "" || bob.login("bob", good).room() == "" {
		t.Error("the session goes on, or no other begins")
	}
	root.post("/accounts/disable", "name", "bob").want("close", http.StatusSeeOther, "/accounts?done=1")
	if bob.room() != "" || bob.login("bob", good).status != http.StatusUnauthorized {
		t.Error("bob is in")
	}
	root.post("/accounts/enable", "name", "bob").want("open", http.StatusSeeOther, "/accounts?done=1")
	if bob.login("bob", good).room() == "" {
		t.Error("bob is out")
	}
	list, err := h.accounts.Trail(t.Context(), accounts.Trail{Person: "root", Object: "bob"})
	if err != nil || len(list) != 3 || list[0].Act != "enable user" {
		t.Errorf("%+v, %v", list, err)
	}
}
