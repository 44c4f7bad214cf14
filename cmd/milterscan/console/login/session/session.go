// Package session remembers who has logged in with which browser.
package session

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
)

// Options are what sessions are like.
type Options struct {
	Accounts *accounts.Accounts
	Idle     time.Duration // a session ends that is not used as long
	Life     time.Duration // a session ends, used or not
	Secure   bool          // browsers come by HTTPS, and may send the cookie by nothing else
}

// half is how long a person has for the second factor, or at the place that knows the password.
const half = 10 * time.Minute

// patience is how long a request waits for the sessions.
const patience = 2 * time.Second

// Manager knows the sessions. It may be used by several goroutines at once.
type Manager struct {
	scs *scs.SessionManager
}

// New returns a manager.
func New(o Options) *Manager {
	// Not scs.New, which starts a goroutine that never ends.
	s := &scs.SessionManager{Store: store{o.Accounts}, Codec: codec{}, HashTokenInStore: true, IdleTimeout: o.Idle, Lifetime: o.Life}
	s.Cookie = scs.SessionCookie{Name: CookieName(o.Secure), Path: "/", HttpOnly: true, Secure: o.Secure, SameSite: http.SameSiteLaxMode}
	return &Manager{s}
}

// CookieName returns the name of the cookie. With "__Host-" a browser takes it over HTTPS from
// this very host only (RFC 6265bis, section 4.1.3.2).
func CookieName(secure bool) string {
	if secure {
		return "__Host-milterscan"
	}
	return "milterscan"
}

// Load finds the session of each request for next, and keeps it with the answer. Where sessions cannot be
// read or kept, fail answers.
func (m *Manager) Load(next http.Handler, fail func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Cookie")
		ctx, err := m.scs.Load(r.Context(), m.Token(r))
		if err != nil {
			fail(w, r, err)
			return
		}
		r = r.WithContext(ctx)
		a := &answer{ResponseWriter: w, save: func() error { return m.save(w, r) }, fail: func(err error) { fail(w, r, err) }}
		next.ServeHTTP(a, r)
		a.begin()
	})
}

// Token returns what the browser has of its session; "" for none.
func (m *Manager) Token(r *http.Request) string {
	c, err := r.Cookie(m.scs.Cookie.Name)
	if err != nil {
		return ""
	}
	return c.Value
}

// Drop has the browser forget its session, which stays as it is.
func (m *Manager) Drop(w http.ResponseWriter, r *http.Request) {
	m.scs.WriteSessionCookie(r.Context(), w, "", time.Time{})
}

// save keeps the session, and has the browser keep its token.
func (m *Manager) save(w http.ResponseWriter, r *http.Request) error {
	switch m.scs.Status(r.Context()) {
	case scs.Modified:
		if m.scs.Token(r.Context()) == "" && len(m.scs.Keys(r.Context())) == 0 {
			return nil
		}
		token, expires, err := m.scs.Commit(context.WithoutCancel(r.Context()))
		if err != nil {
			return err
		}
		m.scs.WriteSessionCookie(r.Context(), w, token, expires)
	case scs.Destroyed:
		m.scs.WriteSessionCookie(r.Context(), w, "", time.Time{})
	}
	return nil
}

// answer saves the session before the first byte of an answer. If that fails, the answer is
// another.
type answer struct {
	http.ResponseWriter
	save  func() error
	fail  func(error)
	begun bool
	lost  bool // fail has answered
}

func (a *answer) begin() {
	if a.begun {
		return
	}
	a.begun = true
	if err := a.save(); err != nil {
		a.lost = true
		a.fail(err)
	}
}

// WriteHeader saves the session first.
func (a *answer) WriteHeader(status int) {
	if a.begin(); !a.lost {
		a.ResponseWriter.WriteHeader(status)
	}
}

// Write saves the session first.
func (a *answer) Write(p []byte) (int, error) {
	if a.begin(); a.lost {
		return len(p), nil
	}
	return a.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// Stages of a session.
const (
	Nobody = ""       // has not logged in
	First  = "first"  // the second factor is missing
	Inside = "inside" // has logged in
)

// Who is what a session says of its person.
type Who struct {
	Account int64
	Epoch   int64 // of the account when it began
	Stage   string
	Client  string // address
	Agent   string // what the browser calls itself
	Proof   string // the certificate it began with; "" for none
	Handle  string // names the session in lists
}

// Begin makes the session that of a person. It has another token from now on: one that was given to the
// browser by another person is worth nothing.
func (m *Manager) Begin(ctx context.Context, w Who) error {
	if err := m.scs.Clear(ctx); err != nil {
		return err
	}
	if err := m.scs.RenewToken(ctx); err != nil {
		return err
	}
	w.Handle = rand.Text()
	m.scs.Put(ctx, keyWho, w)
	if w.Stage != Inside {
		m.scs.SetDeadline(ctx, time.Now().Add(half))
	}
	return nil
}

// Of returns whose the session of a request is. The zero Who is that of a person
// who has not logged in.
func (m *Manager) Of(ctx context.Context) Who {
	w, _ := m.scs.Get(ctx, keyWho).(Who)
	return w
}

// Deadline returns when the session ends, used or not.
func (m *Manager) Deadline(ctx context.Context) time.Time { return m.scs.Deadline(ctx) }

// End ends the session.
func (m *Manager) End(ctx context.Context) error { return m.scs.Destroy(ctx) }

// Put remembers a text in the session. That of a person who has not logged in is short.
func (m *Manager) Put(ctx context.Context, key, text string) {
	m.scs.Put(ctx, key, text)
	if m.Of(ctx).Stage == Nobody {
		m.scs.SetDeadline(ctx, time.Now().Add(half))
	}
}

// Get returns a text that Put remembered.
func (m *Manager) Get(ctx context.Context, key string) string { return m.scs.GetString(ctx, key) }

// Pop returns a text that Put remembered, once.
func (m *Manager) Pop(ctx context.Context, key string) string { return m.scs.PopString(ctx, key) }

// keyWho is the key of Who among the values of a session.
const keyWho = "who"

// saved is a session as it is kept.
type saved struct {
	Deadline time.Time         `json:"deadline"`
	Who      Who               `json:"who"`
	Texts    map[string]string `json:"texts,omitempty"`
}

// codec writes sessions as JSON.
type codec struct{}

// Encode implements scs.Codec.
func (codec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	s := saved{Deadline: deadline, Texts: map[string]string{}}
	for key, v := range values {
		switch v := v.(type) {
		case Who:
			s.Who = v
		case string:
			s.Texts[key] = v
		default:
			return nil, fmt.Errorf("a session cannot hold %T", v)
		}
	}
	return json.Marshal(s)
}

// Decode implements scs.Codec.
func (codec) Decode(data []byte) (time.Time, map[string]any, error) {
	var s saved
	if err := json.Unmarshal(data, &s); err != nil {
		return time.Time{}, nil, err
	}
	values := map[string]any{keyWho: s.Who}
	for key, text := range s.Texts {
		values[key] = text
	}
	return s.Deadline, values, nil
}

// store keeps sessions with the accounts. It is a scs.CtxStore.
type store struct{ accounts *accounts.Accounts }

var errContext = errors.New("a session is looked for without a context")

// Find implements scs.Store.
func (store) Find(string) ([]byte, bool, error) { return nil, false, errContext }

// Commit implements scs.Store.
func (store) Commit(string, []byte, time.Time) error { return errContext }

// Delete implements scs.Store.
func (store) Delete(string) error { return errContext }

// FindCtx implements scs.CtxStore.
func (s store) FindCtx(ctx context.Context, key string) ([]byte, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return s.accounts.FindSession(ctx, key)
}

// CommitCtx implements scs.CtxStore.
func (s store) CommitCtx(ctx context.Context, key string, data []byte, expires time.Time) error {
	var is saved
	if err := json.Unmarshal(data, &is); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return s.accounts.PutSession(ctx, accounts.Session{Key: key, Account: is.Who.Account, Handle: is.Who.Handle, Data: data,
		Client: is.Who.Client, Agent: is.Who.Agent, Expires: expires})
}

// DeleteCtx implements scs.CtxStore.
func (s store) DeleteCtx(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return s.accounts.EndSession(ctx, key)
}
