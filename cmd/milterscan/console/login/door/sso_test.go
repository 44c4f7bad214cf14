package door

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/token"
)

var ssoKey = []byte(strings.Repeat("k", 32))

// panelled is a house with a panel that lets in domain administrators, and some accounts.
func panelled(t *testing.T, roles ...string) *house {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "sso-key")
	if err := os.WriteFile(file, fmt.Appendf(nil, "%x\n", ssoKey), 0o600); err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, func(c *config.Console) {
		c.SSO.KeyFile = file
		if len(roles) > 0 {
			c.SSO.Roles = roles
		}
	})
	used := people.New(filepath.Join(dir, "people.db"))
	t.Cleanup(func() { used.Close() })
	h.door.Once = used.UseOnce
	h.add("dora", login.Domain)
	h.add("ann", login.Administrator)
	closed := h.add("carl", login.Domain)
	if err := h.accounts.SetDisabled(t.Context(), closed.ID, true); err != nil {
		t.Fatal(err)
	}
	return h
}

func signOn(account string, change func(*token.SignOn)) url.Values {
	s := token.SignOn{Account: account, Issued: time.Now(), Nonce: fmt.Sprintf("%x", token.NewNonce())}
	if change != nil {
		change(&s)
	}
	return token.WriteSignOn(ssoKey, s)
}

// follow sends what the panel has signed, as its page does after the button.
func (b *browser) follow(v url.Values) *browser {
	var pairs []string
	for name, list := range v {
		for _, value := range list {
			pairs = append(pairs, name, value)
		}
	}
	return b.post(ssoPath, pairs...)
}

// TestSignOn: looking lets nobody in, however often; the button does, once, and the session is a
// new one.
func TestSignOn(t *testing.T) {
	h := panelled(t)
	v := signOn("dora", nil)
	b := h.browser()
	for _, method := range []string{"GET", "HEAD", "GET"} {
		r, err := http.NewRequest(method, ssoPath+"?next=/room&"+v.Encode(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if b.do(r); b.status != http.StatusOK || b.cookie != nil || b.room() != "" {
			t.Fatalf("%s: %d, %v, %q", method, b.status, b.cookie, b.room())
		}
	}
	if b.get(ssoPath + "?next=/room&" + v.Encode()); !strings.Contains(b.body, "dora") || !strings.Contains(b.body, `value="/room"`) {
		t.Errorf("the page: %s", b.body)
	}
	b.get("/login/oidc") // a session of nobody, perhaps one that another person knows
	before := b.cookie
	v.Set("next", "/room?x=1")
	b.follow(v).want("the button", http.StatusSeeOther, "/room?x=1")
	if b.room() != "dora domain" || before != nil && before.Value == b.cookie.Value {
		t.Errorf("%q, cookies %v and %v", b.room(), before, b.cookie)
	}
	h.browser().follow(v).want("the same once more", http.StatusUnauthorized, "")
	upper := url.Values{}
	for name, list := range v {
		upper[name] = list
	}
	upper.Set("mark", strings.ToUpper(v.Get("mark")))
	h.browser().follow(upper).want("the same in capitals", http.StatusUnauthorized, "")
}

// TestSignOnRefused: nobody is let in, and the answer is the same.
func TestSignOnRefused(t *testing.T) {
	h := panelled(t)
	bodies := map[string]bool{}
	for name, v := range map[string]url.Values{
		"an account that is not there": signOn("nobody", nil),
		"one that is disabled":         signOn("carl", nil),
		"an administrator":             signOn("ann", nil),
		"another account":              func() url.Values { v := signOn("dora", nil); v.Set("account", "ann"); return v }(),
		"too old":                      signOn("dora", func(s *token.SignOn) { s.Issued = s.Issued.Add(-2 * time.Minute) }),
		"too new":                      signOn("dora", func(s *token.SignOn) { s.Issued = s.Issued.Add(2 * time.Minute) }),
		"not signed":                   {"account": {"dora"}},
		"nothing":                      {},
		"two accounts":                 func() url.Values { v := signOn("dora", nil); v.Add("account", "ann"); return v }(),
	} {
		b := h.browser().follow(v)
		if b.want(name, http.StatusUnauthorized, ""); b.room() != "" {
			t.Errorf("%s: let in", name)
		}
		bodies[b.follow(v).body] = true
	}
	if len(bodies) != 1 {
		t.Errorf("%d different answers", len(bodies))
	}
}

// TestSignOnForged: another site cannot log a person in under its own name.
func TestSignOnForged(t *testing.T) {
	h := panelled(t)
	for field, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
		b := h.browser()
		b.header.Set(field, value)
		if b.follow(signOn("dora", nil)); b.status != http.StatusForbidden {
			t.Errorf("%s: %d", field, b.status)
		}
		b.header.Del(field)
		if b.room() != "" {
			t.Errorf("%s: let in", field)
		}
	}
	b := h.browser().login("ann", good)
	if b.get(ssoPath + "?" + signOn("dora", nil).Encode()); !strings.Contains(b.body, "ann") || b.room() != "ann administrator" {
		t.Errorf("one who is somebody else already is not told: %s", b.body)
	}
}

// TestSignOnWithSecondFactor: another program knows the password's part, not more.
func TestSignOnWithSecondFactor(t *testing.T) {
	h := panelled(t)
	c := h.config
	c.RequireTOTP = []string{"domain"}
	if err := h.door.Use(c); err != nil {
		t.Fatal(err)
	}
	b := h.browser().follow(signOn("dora", nil))
	if !strings.HasPrefix(b.to, "/second") || b.room() != "" {
		t.Errorf("%d %q, %q", b.status, b.to, b.room())
	}
}

// TestSignOnByRole: the host says whom the other program lets in, and nobody without a key.
func TestSignOnByRole(t *testing.T) {
	if b := panelled(t, "domain", "administrator").browser().follow(signOn("ann", nil)); b.room() != "ann administrator" {
		t.Errorf("%d %s", b.status, b.body)
	}
	h := panelled(t)
	c := h.config
	c.SSO.KeyFile = ""
	if err := h.door.Use(c); err != nil {
		t.Fatal(err)
	}
	h.browser().follow(signOn("dora", nil)).want("no key", http.StatusUnauthorized, "")
	c.SSO.KeyFile = filepath.Join(t.TempDir(), "none")
	if err := h.door.Use(c); err != nil {
		t.Fatal(err)
	}
	h.browser().follow(signOn("dora", nil)).want("a key that is not there", http.StatusServiceUnavailable, "")
}

// TestSignOnAtOnce: of many browsers with one address one gets in; where that cannot be told, none.
func TestSignOnAtOnce(t *testing.T) {
	h := panelled(t)
	v := signOn("dora", nil)
	var in atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if h.browser().follow(v).status == http.StatusSeeOther {
				in.Add(1)
			}
		})
	}
	all.Wait()
	if in.Load() != 1 {
		t.Errorf("%d got in", in.Load())
	}
	h.door.Once = func(context.Context, string, time.Time) (bool, error) { return false, os.ErrPermission }
	if b := h.browser().follow(signOn("dora", nil)); b.status != http.StatusServiceUnavailable || b.room() != "" {
		t.Errorf("%d %q", b.status, b.room())
	}
}
