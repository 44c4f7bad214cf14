package door

import (
	"context"
	"crypto/sha256"
	"maps"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/scan/breaker"
)

// While hosts cannot ask the accounts that they share, each still knows whom it let in a short time ago. Such a person may look
// at what needs no accounts, and at nothing else; who is a stranger stays one.

// Bounds of whom a host knows by itself.
const (
	recalledFor = 15 * time.Minute // since the accounts were asked about the session
	mostGuests  = 1000
)

// guest is a person whose session was good.
type guest struct {
	person  login.Person
	proof   string    // the certificate the session began with; "" for none
	seen    time.Time // when the accounts were asked
	expires time.Time // of the session, if it is not used any more
	round   uint64    // of the guests, when the request began
}

// guests are those who were let in lately, by a hash of what their browsers have. The zero value is ready, and any number of
// goroutines may use it at once.
type guests struct {
	asked breaker.Breaker // the accounts

	mu    sync.Mutex
	by    map[[sha256.Size]byte]guest
	round uint64    // how often all were forgotten
	away  time.Time // since when the accounts cannot be asked; zero: they can
}

// begin returns the round in which a request begins.
func (g *guests) begin() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.round
}

// note remembers a guest, unless all were forgotten since the request began: its session may have ended meanwhile. Of too
// many, those who were seen first make room.
func (g *guests) note(token string, one guest) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if one.round != g.round {
		return
	}
	if g.by == nil {
		g.by = map[[sha256.Size]byte]guest{}
	}
	for bound := recalledFor; len(g.by) >= mostGuests; bound /= 2 {
		maps.DeleteFunc(g.by, func(_ [sha256.Size]byte, old guest) bool { return one.seen.Sub(old.seen) >= bound })
	}
	g.by[sha256.Sum256([]byte(token))] = one
}

// forget has a session not be recalled.
func (g *guests) forget(token string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.by, sha256.Sum256([]byte(token)))
}

// clear forgets all: what sessions are good may have changed.
func (g *guests) clear() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.round++
	clear(g.by)
}

// recall returns the person whose session was good lately, as one who sees what was known before.
func (g *guests) recall(token, proof string, now time.Time) (login.Person, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	one, known := g.by[sha256.Sum256([]byte(token))]
	if !known || one.proof != "" && one.proof != proof || now.Sub(one.seen) >= recalledFor || !now.Before(one.expires) {
		return login.Person{}, false
	}
	if g.away.IsZero() {
		g.away = now
	}
	one.person.Away = g.away
	return one.person, true
}

// reached notes that the accounts have answered.
func (g *guests) reached(now time.Time) {
	g.asked.Note(now, false)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.away = time.Time{}
}

// missed notes that the accounts have not answered.
func (g *guests) missed(now time.Time) {
	g.asked.Note(now, true)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.away.IsZero() {
		g.away = now
	}
}

// The keys of the person of a request who was recalled, and of the round in which it began.
type (
	guestKey struct{}
	roundKey struct{}
)

// recalled returns the person of a request, if the accounts were not asked who it is.
func recalled(r *http.Request) (login.Person, bool) {
	p, ok := r.Context().Value(guestKey{}).(login.Person)
	return p, ok
}

// remember notes a person who was let in. Recipients see nothing that needs no database.
func (d *Door) remember(r *http.Request, p login.Person) {
	if !d.Accounts.Shared() || p.Role == login.Recipient {
		return
	}
	w, now := d.of(r), d.now()
	expires := w.sessions.Deadline(r.Context())
	if idle := now.Add(w.config.Idle.Go()); w.config.Idle > 0 && idle.Before(expires) {
		expires = idle
	}
	round, _ := r.Context().Value(roundKey{}).(uint64)
	d.guests.note(w.sessions.Token(r), guest{p, w.sessions.Of(r.Context()).Proof, now, expires, round})
}

// recall lets one who looks at a page go on without the accounts, if its session was good lately. It reports whether next
// has answered.
func (d *Door) recall(next http.Handler, w http.ResponseWriter, r *http.Request) bool {
	if !d.Accounts.Shared() {
		return false
	}
	token := d.of(r).sessions.Token(r)
	if r.Method == http.MethodPost && r.URL.Path == logoutPath {
		d.guests.forget(token)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	p, ok := d.guests.recall(token, proof(r), d.now())
	if ok {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), guestKey{}, p)))
	}
	return ok
}

// load finds the session of a request for next, or the person whose session was good lately where the accounts do not answer.
func (d *Door) load(next http.Handler, w http.ResponseWriter, r *http.Request) {
	sessions := d.of(r).sessions
	asks := d.Accounts.Shared() && sessions.Token(r) != ""
	if asks && !d.guests.asked.MayTry(d.now()) && d.recall(next, w, r) {
		return
	}
	r = r.WithContext(context.WithValue(r.Context(), roundKey{}, d.guests.begin()))
	found := false
	sessions.Load(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if found = true; asks {
			d.guests.reached(d.now())
		}
		next.ServeHTTP(w, r)
	}), func(w http.ResponseWriter, r *http.Request, err error) {
		// A browser that has gone away says nothing of the accounts.
		if !found && asks && r.Context().Err() == nil {
			d.guests.missed(d.now())
			if d.recall(next, w, r) {
				d.Log.Warn("accounts of the console cannot be used", zap.Error(err))
				return
			}
		}
		if !found && r.Method == http.MethodPost && r.URL.Path == logoutPath {
			sessions.Drop(w, r) // or who comes to this browser next is inside when the accounts are back
		}
		d.broken(w, r, err)
	}).ServeHTTP(w, r)
}
