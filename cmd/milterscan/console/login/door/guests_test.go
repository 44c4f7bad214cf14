package door

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
)

// TestRecall: who was let in a short time ago is known while the accounts cannot be asked, as long as the session lasts, and
// nobody else is.
func TestRecall(t *testing.T) {
	begun := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name  string
		later time.Duration
		token string
		proof string
		then  func(g *guests)
		known bool
	}{
		{name: "at once", token: "ann", known: true},
		{name: "minutes later", later: recalledFor - time.Second, token: "ann", known: true},
		{name: "too late", later: recalledFor, token: "ann"},
		{name: "a stranger", token: "eve"},
		{name: "no token"},
		{name: "a session that has ended", later: 5 * time.Minute, token: "short"},
		{name: "with the certificate", token: "carl", proof: "c", known: true},
		{name: "without it", token: "carl"},
		{name: "with another one", token: "carl", proof: "d"},
		{name: "one who has logged out", token: "ann", then: func(g *guests) { g.forget("ann") }},
		{name: "another one has logged out", token: "ann", then: func(g *guests) { g.forget("carl") }, known: true},
		{name: "sessions may have ended", token: "ann", then: (*guests).clear},
	} {
		var g guests
		day := begun.Add(24 * time.Hour)
		g.note("ann", guest{person: login.Person{Name: "ann", Role: login.Administrator}, seen: begun, expires: day})
		g.note("carl", guest{person: login.Person{Name: "carl"}, proof: "c", seen: begun, expires: day})
		g.note("short", guest{person: login.Person{Name: "short"}, seen: begun, expires: begun.Add(5 * time.Minute)})
		if test.then != nil {
			test.then(&g)
		}
		now := begun.Add(test.later)
		p, known := g.recall(test.token, test.proof, now)
		if known != test.known {
			t.Errorf("%s: known is %t", test.name, known)
		}
		if known && (p.Name != test.token || !p.Away.Equal(now)) {
			t.Errorf("%s: %+v", test.name, p)
		}
		if !known && p.Name != "" {
			t.Errorf("%s: there is a person all the same: %+v", test.name, p)
		}
	}
}

// TestRecallSaysSinceWhen: it is said since when the accounts do not answer, until they do.
func TestRecallSaysSinceWhen(t *testing.T) {
	var g guests
	begun := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	g.note("ann", guest{seen: begun, expires: begun.Add(time.Hour)})
	away := func(at, want time.Duration) {
		t.Helper()
		if p, ok := g.recall("ann", "", begun.Add(at)); !ok || !p.Away.Equal(begun.Add(want)) {
			t.Errorf("away since %v, want %v", p.Away.Sub(begun), want)
		}
	}
	g.missed(begun.Add(time.Minute))
	g.missed(begun.Add(2 * time.Minute))
	away(3*time.Minute, time.Minute)
	if g.asked.MayTry(begun.Add(2*time.Minute + time.Second)) {
		t.Error("the accounts are asked for each page while they do not answer")
	}
	g.reached(begun.Add(4 * time.Minute))
	g.missed(begun.Add(5 * time.Minute))
	away(6*time.Minute, 5*time.Minute)
}

// TestLogOutWhileAway: who logs out while the accounts are away leaves nothing in the browser.
func TestLogOutWhileAway(t *testing.T) {
	h := newHouse(t, nil)
	o := h.door.Options
	o.Accounts = accounts.Of("", dumb{})
	d, err := New(o, h.config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	for method, want := range map[string]int{"POST": 1, "GET": 0} {
		r := httptest.NewRequest(method, logoutPath, nil)
		r.AddCookie(&http.Cookie{Name: "__Host-milterscan", Value: "any"})
		w := httptest.NewRecorder()
		d.Load(http.NotFoundHandler()).ServeHTTP(w, r)
		got := w.Result().Cookies()
		if len(got) != want || want == 1 && (got[0].Name != "__Host-milterscan" || got[0].Value != "" || got[0].MaxAge >= 0) {
			t.Errorf("%s: %d, cookies %v", method, w.Code, got)
		}
	}
}

// TestEndedMeanwhile: a page that was asked for before sessions may have ended, and answered after it, has nobody remembered.
func TestEndedMeanwhile(t *testing.T) {
	var g guests
	at := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	before := g.begin()
	g.clear()
	for round, want := range map[uint64]bool{before: false, g.begin(): true} {
		g.note("ann", guest{seen: at, expires: at.Add(time.Hour), round: round})
		if _, known := g.recall("ann", "", at); known != want {
			t.Errorf("in round %d, which began in %d: known is %t", g.begin(), round, known)
		}
		g.forget("ann")
	}
}

// TestGuestsAreBounded: no more are remembered than there is room for, and those who came last are.
func TestGuestsAreBounded(t *testing.T) {
	for name, step := range map[string]time.Duration{"one after the other": time.Second, "all at once": 0} {
		var g guests
		at := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
		for n := range 3 * mostGuests {
			at = at.Add(step)
			g.note(fmt.Sprint(n), guest{seen: at, expires: at.Add(time.Hour)})
			if len(g.by) > mostGuests {
				t.Fatalf("%s: %d are remembered", name, len(g.by))
			}
			if _, there := g.by[sha256.Sum256([]byte(fmt.Sprint(n)))]; !there {
				t.Fatalf("%s: the %dth is not remembered", name, n)
			}
		}
	}
}

// dumb is a database that hosts share and that does not answer.
type dumb struct{}

var errDumb = errors.New("no answer")

func (dumb) Read(context.Context, func(*sql.DB) error) error   { return errDumb }
func (dumb) Change(context.Context, func(*sql.Tx) error) error { return errDumb }
func (dumb) Place() string                                     { return "nowhere" }

// TestMissedByAccountsAlone: the accounts are away if they do not answer, not if a browser does not wait for them: a
// stranger could make everybody's pages say that the database is away.
func TestMissedByAccountsAlone(t *testing.T) {
	h := newHouse(t, nil)
	o := h.door.Options
	o.Accounts = accounts.Of("", dumb{})
	for name, test := range map[string]struct{ gone, away bool }{"gone": {true, false}, "waiting": {false, true}} {
		d, err := New(o, h.config)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		if test.gone {
			cancel()
		}
		r := httptest.NewRequestWithContext(ctx, "GET", "/", nil)
		r.AddCookie(&http.Cookie{Name: "__Host-milterscan", Value: "any"})
		w := httptest.NewRecorder()
		d.Load(http.NotFoundHandler()).ServeHTTP(w, r)
		if w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: %d", name, w.Code)
		}
		if away := !d.guests.away.IsZero() || !d.guests.asked.MayTry(time.Now()); away != test.away {
			t.Errorf("%s: away is %t", name, away)
		}
		cancel()
		d.Close()
	}
}
