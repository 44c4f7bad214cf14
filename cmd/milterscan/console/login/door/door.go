// Package door is where persons log in to the console, and out, and look after their
// accounts: the pages for it, and the answer to who asks.
package door

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/ldap"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/oidc"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/owner"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/session"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/throttle"
	"github.com/milterscan/milterscan/policy/config"
)

// Page is what a page of the door says, for the layout of the console.
type Page struct {
	Title  string
	Body   template.HTML
	Status int // of HTTP
}

// Options are what a door works with. All fields are required that do not say what nil means.
type Options struct {
	Accounts *accounts.Accounts
	Log      *zap.Logger
	Host     string // by which second factors are named in the program that makes their codes
	// Owners know who owns an address of ours, and let in recipients.
	Owners Owners
	// Language returns the language in which a page is written for a person, who may
	// not have logged in: "en", "de", "fr" or "es".
	Language func(r *http.Request, p login.Person) string
	// Once notes that a sign-on of another program is used, and reports whether it is the first time. nil: no
	// program signs persons on.
	Once func(ctx context.Context, name string, expires time.Time) (bool, error)
	Now  func() time.Time // nil: time.Now
	// Layout writes a page.
	Layout func(w http.ResponseWriter, r *http.Request, p login.Person, page Page)
}

// Door lets persons in. It may be used by several goroutines at once.
type Door struct {
	Options
	throttle *throttle.Throttle
	forge    *http.CrossOriginProtection
	current  atomic.Pointer[ways]
	deaf     atomic.Bool // the directory did not answer when it was last asked
	guests   guests
}

// ways are how persons log in, by one configuration.
type ways struct {
	config   config.Console
	sessions *session.Manager
	ldap     *ldap.Directory // nil for none
	oidc     *oidc.Provider  // nil for none
}

// New returns a door that lets in as a configuration says.
func New(o Options, c config.Console) (*Door, error) {
	d := &Door{Options: o, throttle: throttle.New(), forge: http.NewCrossOriginProtection()}
	return d, d.Use(c)
}

// Use lets in as another configuration says from now on. If the error is not nil, the old one stays.
func (d *Door) Use(c config.Console) error {
	if old := d.current.Load(); old != nil && reflect.DeepEqual(old.config, c) {
		return nil
	}
	w := &ways{config: c, sessions: session.New(session.Options{
		Accounts: d.Accounts, Idle: c.Idle.Go(), Life: c.Life.Go(), Secure: c.HTTPS(),
	})}
	if c.LDAP.URL != "" {
		w.ldap = ldap.New(c.LDAP)
	}
	if c.OIDC.Issuer != "" {
		var err error
		if w.oidc, err = oidc.New(c.OIDC, c.URL); err != nil {
			return err
		}
	}
	if old := d.current.Swap(w); old != nil && old.oidc != nil {
		old.oidc.Close()
	}
	d.deaf.Store(false)
	d.guests.clear()
	return nil
}

// Close ends the connections to others. The accounts are the caller's.
func (d *Door) Close() {
	if w := d.current.Load(); w.oidc != nil {
		w.oidc.Close()
	}
}

// waysKey is the key of the ways of a request, which are the same until it is answered.
type waysKey struct{}

// Load finds the session of each request for next. Everything that asks Who is inside of it. Where hosts share the accounts and
// these do not answer, next has those requests to look at something whose session was good lately: their persons have Away set.
func (d *Door) Load(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ways := d.current.Load()
		r = r.WithContext(context.WithValue(r.Context(), waysKey{}, ways))
		d.load(next, w, r)
	})
}

// of returns the ways of a request.
func (d *Door) of(r *http.Request) *ways {
	if w, ok := r.Context().Value(waysKey{}).(*ways); ok {
		return w
	}
	return d.current.Load()
}

// broken answers where the sessions cannot be read or kept.
func (d *Door) broken(w http.ResponseWriter, r *http.Request, err error) {
	d.Log.Warn("accounts of the console cannot be used", zap.Error(err))
	key := "broken"
	if d.Accounts.Shared() {
		key = "away"
	}
	d.say(w, r, login.Person{}, http.StatusServiceUnavailable, key)
}

// Who returns the person who asks. The error is login.ErrNobody where no one has logged in, and another one
// where that cannot be told.
func (d *Door) Who(r *http.Request) (login.Person, error) {
	if p, ok := recalled(r); ok {
		return p, nil
	}
	account, err := d.inside(r)
	if err == nil {
		var p login.Person
		if p, err = d.Owners.Complete(r.Context(), account.Person()); err == nil {
			d.remember(r, p)
			return p, nil
		}
	}
	if errors.Is(err, login.ErrNobody) {
		d.guests.forget(d.of(r).sessions.Token(r))
	}
	return login.Person{}, err
}

// inside returns the account of the person who asks. What was changed about it since the person logged in
// is in force.
func (d *Door) inside(r *http.Request) (accounts.Account, error) {
	account, who, err := d.known(r)
	if err == nil && (who.Stage != session.Inside || d.of(r).lacksSecond(account)) {
		err = login.ErrNobody
	}
	if err == nil && account.Role == login.Recipient {
		_, err = d.Owners.Complete(r.Context(), account.Person())
	}
	if err != nil {
		return accounts.Account{}, err
	}
	return account, nil
}

// errAway is reported of a session whose account cannot be asked for.
var errAway = errors.New("the accounts of the console do not answer")

// known returns the account of a session, which may be without its second factor yet.
func (d *Door) known(r *http.Request) (accounts.Account, session.Who, error) {
	if _, ok := recalled(r); ok {
		return accounts.Account{}, session.Who{}, errAway
	}
	who := d.of(r).sessions.Of(r.Context())
	if who.Account == 0 || who.Stage == session.Nobody || who.Proof != "" && who.Proof != proof(r) {
		return accounts.Account{}, who, login.ErrNobody
	}
	account, err := d.Accounts.ByID(r.Context(), who.Account)
	if errors.Is(err, accounts.ErrUnknown) || err == nil && (account.Disabled || account.Epoch() != who.Epoch) {
		err = login.ErrNobody
	}
	return account, who, err
}

// lacksSecond reports whether an account must have a second factor and has none. A provider of OpenID Connect
// asks for one itself, if the role alone wants it.
func (w *ways) lacksSecond(a accounts.Account) bool {
	wants := a.WantsSecond || a.Source != accounts.OIDC && slices.Contains(w.config.RequireTOTP, string(a.Role))
	return wants && !a.HasSecond
}

// Audit writes down that a person looked at something, or did something. If the error is not nil, it is not to be
// shown, or done.
func (d *Door) Audit(r *http.Request, p login.Person, act login.Right, object, outcome string) error {
	return d.Accounts.Audit(r.Context(), p, d.from(r), act, object, outcome)
}

// Trail returns lines of the audit log, newest first.
func (d *Door) Trail(ctx context.Context, t accounts.Trail) ([]accounts.Entry, error) {
	return d.Accounts.Trail(ctx, t)
}

// SetLanguage sets the language a person reads.
func (d *Door) SetLanguage(ctx context.Context, p login.Person, language string) error {
	return d.Accounts.SetLanguage(ctx, p.Account, language)
}

// note writes a line of the audit log about an account.
func (d *Door) note(r *http.Request, a accounts.Account, act, outcome string) error {
	return d.Accounts.Note(r.Context(), accounts.Entry{Person: a.Name, Role: string(a.Role), Client: d.from(r), Act: act, Object: a.Name,
		Outcome: outcome})
}

// Route is one page of the door.
type Route struct {
	Method, Pattern string        // of http.ServeMux
	Open            bool          // no person need have logged in
	Right           login.Right   // that the person must have; "" for any
	Within          time.Duration // for the answer
	Handle          http.HandlerFunc
}

// The times of answers.
const (
	quick = 3 * time.Second
	slow  = 45 * time.Second // others are asked, or passwords wait for their turn
)

// Routes lists the pages.
func (d *Door) Routes() []Route {
	return []Route{
		{"GET", "/login", true, "", quick, d.asked},
		{"POST", "/login", true, "", slow, d.guarded(d.enter)},
		{"POST", "/login/certificate", true, "", slow, d.guarded(d.enterByCertificate)},
		{"POST", "/login/link", true, "", quick, d.guarded(d.linkAsked)},
		{"GET", owner.LinkPath + "{link}", true, "", quick, d.linkShown},
		{"POST", owner.LinkPath + "{link}", true, "", quick, d.guarded(d.enterByLink)},
		{"GET", "/login/oidc", true, "", slow, d.toProvider},
		{"GET", oidc.Callback, true, "", slow, d.fromProvider},
		{"GET", ssoPath, true, "", quick, d.ssoAsked},
		{"POST", ssoPath, true, "", slow, d.guarded(d.ssoEnter)},
		{"GET", "/second", true, "", quick, d.half(d.secondAsked)},
		{"POST", "/second", true, "", slow, d.guarded(d.half(d.secondGiven))},
		{"GET", logoutPath, true, "", quick, d.logoutAsked},
		{"POST", logoutPath, true, "", quick, d.guarded(d.logout)},
		{"GET", "/account", false, "", quick, d.owner(d.account)},
		{"POST", "/account/password", false, "", slow, d.guarded(d.owner(d.changePassword))},
		{"POST", "/account/second", false, "", slow, d.guarded(d.owner(d.beginSecond))},
		{"POST", "/account/second/confirm", false, "", slow, d.guarded(d.owner(d.confirmSecond))},
		{"POST", "/account/second/remove", false, "", slow, d.guarded(d.owner(d.removeSecond))},
		{"POST", "/account/recovery", false, "", slow, d.guarded(d.owner(d.renewRecovery))},
		{"POST", "/account/sessions", false, "", quick, d.guarded(d.owner(d.endSession))},
		{"POST", "/account/sessions/all", false, "", quick, d.guarded(d.owner(d.endSessions))},
		{"POST", "/account/tokens", false, "", quick, d.guarded(d.owner(d.addToken))},
		{"POST", "/account/tokens/remove", false, "", quick, d.guarded(d.owner(d.removeToken))},
		{"GET", "/accounts", false, login.ManageUsers, quick, d.holder(login.ManageUsers, d.people)},
		{"POST", "/accounts/{deed}", false, login.ManageUsers, quick, d.guarded(d.holder(login.ManageUsers, d.act))},
	}
}

// mostOfForm is how many bytes a form may have.
const mostOfForm = 64 << 10

// logoutPath is where a session ends.
const logoutPath = "/logout"

// ends reports whether forms to a path may end sessions.
func ends(path string) bool { return path == logoutPath || strings.HasPrefix(path, "/account") }

// guarded lets forms through that come from a page of ours and are not too long. After one that may end sessions, none is
// recalled that has not been found to be good again.
func (d *Door) guarded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := d.forge.Check(r); err != nil {
			d.say(w, r, login.Person{}, http.StatusForbidden, "forged")
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, mostOfForm)
		if err := r.ParseForm(); err != nil {
			d.say(w, r, login.Person{}, http.StatusBadRequest, "bad")
			return
		}
		if ends(r.URL.Path) {
			defer d.guests.clear()
		}
		next(w, r)
	}
}

// owner lets the person through whose account it is.
func (d *Door) owner(next func(http.ResponseWriter, *http.Request, accounts.Account)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		account, err := d.inside(r)
		switch {
		case errors.Is(err, login.ErrNobody):
			http.Redirect(w, r, "/login", http.StatusSeeOther)
		case err != nil:
			d.broken(w, r, err)
		default:
			next(w, r, account)
		}
	}
}
