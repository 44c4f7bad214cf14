package session

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
)

// browser is one with our cookie.
type browser struct {
	t      *testing.T
	site   http.Handler
	cookie *http.Cookie
	status int
}

// get asks for a page and returns what it says.
func (b *browser) get(path string) string {
	b.t.Helper()
	r := httptest.NewRequest("GET", path, nil)
	if b.cookie != nil {
		r.AddCookie(b.cookie)
	}
	w := httptest.NewRecorder()
	b.site.ServeHTTP(w, r)
	b.status = w.Code
	for _, c := range w.Result().Cookies() {
		if b.cookie = c; c.MaxAge < 0 {
			b.cookie = nil
		}
	}
	return w.Body.String()
}

// site logs in, out, and says who asks.
func site(m *Manager) http.Handler {
	mux := http.NewServeMux()
	begin := func(stage string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if err := m.Begin(r.Context(), Who{Account: 7, Stage: stage, Client: "192.0.2.1", Agent: "Browser"}); err != nil {
				panic(err)
			}
		}
	}
	mux.HandleFunc("/first", begin(First))
	mux.HandleFunc("/in", begin(Inside))
	mux.HandleFunc("/out", func(w http.ResponseWriter, r *http.Request) { m.End(r.Context()) })
	mux.HandleFunc("/put", func(w http.ResponseWriter, r *http.Request) { m.Put(r.Context(), "k", "text") })
	mux.HandleFunc("/pop", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(m.Pop(r.Context(), "k"))) })
	mux.HandleFunc("/who", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(m.Of(r.Context()).Stage)) })
	return m.Load(mux, func(w http.ResponseWriter, r *http.Request, err error) {
		http.Error(w, "no sessions", http.StatusServiceUnavailable)
	})
}

func newManager(t *testing.T, idle, life time.Duration, secure bool) (*Manager, string) {
	path := filepath.Join(t.TempDir(), "console.db")
	a := accounts.New(path)
	t.Cleanup(func() { a.Close() })
	return New(Options{Accounts: a, Idle: idle, Life: life, Secure: secure}), path
}

func TestCookie(t *testing.T) {
	for _, secure := range []bool{true, false} {
		m, _ := newManager(t, time.Hour, 2*time.Hour, secure)
		b := &browser{t: t, site: site(m)}
		if b.get("/who"); b.cookie != nil {
			t.Errorf("one who only looks gets a cookie: %v", b.cookie)
		}
		b.get("/in")
		c := b.cookie
		if c == nil || c.Secure != secure || strings.HasPrefix(c.Name, "__Host-") != secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" ||
			c.SameSite != http.SameSiteLaxMode || c.MaxAge != 0 || len(c.Value) < 40 {
			t.Errorf("%+v", c)
		}
	}
}

// TestTokenIsRenewed: a session that another person began in the browser is not the one
// that a person logs in with.
func TestTokenIsRenewed(t *testing.T) {
	m, _ := newManager(t, time.Hour, 2*time.Hour, true)
	b := &browser{t: t, site: site(m)}
	b.get("/put")
	planted := b.cookie
	for _, step := range []struct{ path, stage string }{{"/first", First}, {"/in", Inside}} {
		before := b.cookie
		b.get(step.path)
		if b.cookie.Value == before.Value {
			t.Errorf("%s keeps the token", step.path)
		}
		for _, c := range []*http.Cookie{planted, before} {
			if got := (&browser{t: t, site: b.site, cookie: c}).get("/who"); got != Nobody {
				t.Errorf("after %s the old token is %q", step.path, got)
			}
		}
		if got := b.get("/who"); got != step.stage {
			t.Errorf("after %s the new token is %q", step.path, got)
		}
	}
	if got := b.get("/pop"); got != "" {
		t.Errorf("what was put before is there: %q", got)
	}
	own := &http.Cookie{Name: CookieName(true), Value: strings.Repeat("a", 43)}
	c := &browser{t: t, site: b.site, cookie: own}
	if c.get("/put"); c.cookie.Value == own.Value {
		t.Error("a token is taken that the browser made up")
	}
}

func TestForgedTokens(t *testing.T) {
	m, path := newManager(t, time.Hour, 2*time.Hour, true)
	b := &browser{t: t, site: site(m)}
	b.get("/in")
	token := b.cookie.Value
	for _, forged := range []string{"", "x", token[1:], token + "a", strings.ToUpper(token), "' OR 1=1 --", strings.Repeat("a", 10<<10)} {
		c := &browser{t: t, site: b.site, cookie: &http.Cookie{Name: b.cookie.Name, Value: forged}}
		if got := c.get("/who"); got != Nobody || c.status != http.StatusOK {
			t.Errorf("%.20q: %d %q", forged, c.status, got)
		}
	}
	m.scs.Store.(store).accounts.Close()
	for _, end := range []string{"", "-wal"} {
		if content, err := os.ReadFile(path + end); err == nil && strings.Contains(string(content), token) {
			t.Error("the token itself is kept")
		}
	}
}

func TestEnds(t *testing.T) {
	m, _ := newManager(t, time.Hour, 2*time.Hour, true)
	b := &browser{t: t, site: site(m)}
	b.get("/in")
	kept := *b.cookie
	if b.get("/out"); b.cookie != nil {
		t.Error("the cookie stays after logging out")
	}
	if got := (&browser{t: t, site: b.site, cookie: &kept}).get("/who"); got != Nobody {
		t.Errorf("after logging out the token is %q", got)
	}
}

// TestLogoutWins: a request that began before its session was ended does not bring it back.
func TestLogoutWins(t *testing.T) {
	m, _ := newManager(t, time.Hour, 2*time.Hour, true)
	mux := http.NewServeMux()
	b := &browser{t: t}
	mux.Handle("/", site(m))
	slow := m.Load(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		other := &browser{t: t, site: mux, cookie: b.cookie}
		other.get("/out")
		m.Put(r.Context(), "k", "changed")
	}), func(w http.ResponseWriter, r *http.Request, err error) { panic(err) })
	mux.Handle("/slow", slow)
	b.site = mux
	b.get("/in")
	kept := *b.cookie
	b.get("/slow")
	if got := (&browser{t: t, site: mux, cookie: &kept}).get("/who"); got != Nobody {
		t.Errorf("the session is back: %q", got)
	}
}

// TestLimits: a session ends when it is not used, when it is old, and soon while something is missing.
func TestLimits(t *testing.T) {
	for _, c := range []struct {
		about, begin string
		every, for_  time.Duration
		ended        bool
	}{
		{"used", "/in", 20 * time.Minute, 7 * time.Hour, false},
		{"idle", "/in", 31 * time.Minute, 31 * time.Minute, true},
		{"used, and old", "/in", 20 * time.Minute, 8*time.Hour + time.Minute, true},
		{"without the second factor", "/first", time.Minute, 9 * time.Minute, false},
		{"too long without the second factor", "/first", time.Minute, 11 * time.Minute, true},
		{"too long before logging in", "/put", time.Minute, 11 * time.Minute, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := accounts.New(filepath.Join(t.TempDir(), "console.db"))
			defer a.Close()
			b := &browser{t: t, site: site(New(Options{Accounts: a, Idle: 30 * time.Minute, Life: 8 * time.Hour, Secure: true}))}
			b.get(c.begin)
			token := *b.cookie
			for begun := time.Now(); time.Since(begun) < c.for_; {
				time.Sleep(c.every)
				(&browser{t: t, site: b.site, cookie: &token}).get("/who")
			}
			stage, text := (&browser{t: t, site: b.site, cookie: &token}).get("/who"), (&browser{t: t, site: b.site, cookie: &token}).get("/pop")
			if (stage == Nobody && text == "") != c.ended {
				t.Errorf("%s: %q, %q", c.about, stage, text)
			}
		})
	}
}

// TestStoreFails: an answer that would be given without its session is not given.
func TestStoreFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "console.db")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	a := accounts.New(path)
	defer a.Close()
	m := New(Options{Accounts: a, Idle: time.Hour, Life: time.Hour})
	b := &browser{t: t, site: m.Load(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.Put(r.Context(), "k", "text")
		w.Write([]byte("secret"))
	}), func(w http.ResponseWriter, r *http.Request, err error) {
		if err == nil || errors.Is(err, errContext) {
			t.Error(err)
		}
		http.Error(w, "no sessions", http.StatusServiceUnavailable)
	})}
	if got := b.get("/"); b.status != http.StatusServiceUnavailable || strings.Contains(got, "secret") || b.cookie != nil {
		t.Errorf("%d %q %v", b.status, got, b.cookie)
	}
}
