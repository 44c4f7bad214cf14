package door

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/session"
)

// accountPage is what the page of an account shows.
type accountPage struct {
	Account  accounts.Account
	Local    bool
	Required bool // a second factor is
	Sessions []accounts.Session
	This     string // the handle of this one
	Tokens   []accounts.Token
	Rights   []login.Right // that a token can have
	Secret   string        // a token that was just made
	Done     string        // key of what was done
	Trouble  string        // key of what went wrong
	Reason   string        // what else is said of it
	Setup    *setup
	Manages  bool // the accounts of others
}

// account shows the account of a person.
func (d *Door) account(w http.ResponseWriter, r *http.Request, a accounts.Account) {
	page := accountPage{}
	if key := r.URL.Query().Get("done"); slices.Contains(doneKeys, key) {
		page.Done = key
	}
	d.accountPage(w, r, a, http.StatusOK, page)
}

// doneKeys are what the page can say was done, by the parameter "done" of its address.
var doneKeys = []string{"password", "second-removed", "session", "sessions", "token-removed"}

// accountPage shows the account, with what went before.
func (d *Door) accountPage(w http.ResponseWriter, r *http.Request, a accounts.Account, status int, page accountPage) {
	ways := d.of(r)
	sessions, err := d.Accounts.Sessions(r.Context(), a.ID)
	tokens, errTokens := d.Accounts.Tokens(r.Context(), a.ID)
	if err := errors.Join(err, errTokens); err != nil {
		d.broken(w, r, err)
		return
	}
	page.Account, page.Local, page.Sessions, page.Tokens = a, a.Source == accounts.Local, sessions, tokens
	bare := a
	bare.HasSecond = false
	page.Required = ways.lacksSecond(bare)
	page.Manages = a.Role.Has(login.ManageUsers)
	page.This = ways.sessions.Of(r.Context()).Handle
	p, err := d.Owners.Complete(r.Context(), a.Person())
	if err != nil {
		d.broken(w, r, err)
		return
	}
	if p.May(login.UseAPI) {
		page.Rights = slices.DeleteFunc(login.Rights(), func(right login.Right) bool { return !p.May(right) })
	}
	d.show(w, r, p, status, "account", page)
}

// wrongWay shows the account, with what went wrong.
func (d *Door) wrongWay(w http.ResponseWriter, r *http.Request, a accounts.Account, status int, trouble string) {
	d.accountPage(w, r, a, status, accountPage{Trouble: trouble})
}

// done writes down what was done, and shows the account.
func (d *Door) done(w http.ResponseWriter, r *http.Request, a accounts.Account, act, key string) {
	if err := d.note(r, a, act, "done"); err != nil {
		d.broken(w, r, err)
		return
	}
	http.Redirect(w, r, "/account?done="+key, http.StatusSeeOther)
}

// proved reports whether the person who is logged in has the password of the account as well, if there is one here. A
// browser that was left open is not enough to change how one logs in. If not, the answer was given.
func (d *Door) proved(w http.ResponseWriter, r *http.Request, a accounts.Account) bool {
	if a.Source != accounts.Local || !a.Password {
		return true
	}
	return d.tried(w, r, a, nameKey(a.Name), "password-wrong", func() error {
		_, _, err := d.Accounts.Verify(r.Context(), a.Name, r.PostForm.Get("password"))
		return err
	})
}

// tried reports whether what the person gave is right, as try says. Guesses of one key are
// slowed down. If it is not right, the answer was given.
func (d *Door) tried(w http.ResponseWriter, r *http.Request, a accounts.Account, key, wrong string, try func() error) bool {
	good, ok := d.throttle.Try(key, d.client(r))
	if !ok {
		d.wrongWay(w, r, a, http.StatusTooManyRequests, "slow")
		return false
	}
	err := try()
	switch {
	case err == nil:
		good()
		return true
	case errors.Is(err, accounts.ErrWrong):
		d.wrongWay(w, r, a, http.StatusForbidden, wrong)
	case errors.Is(err, accounts.ErrBusy):
		d.wrongWay(w, r, a, http.StatusServiceUnavailable, "busy")
	default:
		d.broken(w, r, err)
	}
	return false
}

// changePassword gives the account another password. All other sessions end.
func (d *Door) changePassword(w http.ResponseWriter, r *http.Request, a accounts.Account) {
	fresh := r.PostForm.Get("new")
	if a.Source != accounts.Local {
		d.wrongWay(w, r, a, http.StatusForbidden, "password-elsewhere")
		return
	}
	if !d.proved(w, r, a) {
		return
	}
	if fresh != r.PostForm.Get("again") {
		d.wrongWay(w, r, a, http.StatusBadRequest, "password-differs")
		return
	}
	if err := accounts.CheckPassword(a.Name, fresh); err != nil {
		d.wrongWay(w, r, a, http.StatusBadRequest, "password-rules")
		return
	}
	if d.stays(w, r, &a, d.Accounts.SetPassword(r.Context(), a.ID, fresh)) {
		d.done(w, r, a, "change password", "password")
	}
}

// stays keeps this session where what was done has ended all sessions of the account, and reports whether it was done.
func (d *Door) stays(w http.ResponseWriter, r *http.Request, a *accounts.Account, err error) bool {
	if err == nil {
		*a, err = d.Accounts.ByID(r.Context(), a.ID)
	}
	if err == nil {
		err = d.begin(r, *a, session.Inside, d.of(r).sessions.Of(r.Context()).Proof)
	}
	if err != nil {
		d.broken(w, r, err)
		return false
	}
	return true
}

// beginSecond shows the means to set a second factor up.
func (d *Door) beginSecond(w http.ResponseWriter, r *http.Request, a accounts.Account) {
	if a.HasSecond {
		d.wrongWay(w, r, a, http.StatusBadRequest, "second-there")
		return
	}
	if !d.proved(w, r, a) {
		return
	}
	s, err := d.setup(r, a)
	if err != nil {
		d.broken(w, r, err)
		return
	}
	d.accountPage(w, r, a, http.StatusOK, accountPage{Setup: s})
}

// confirmSecond puts a second factor in force.
func (d *Door) confirmSecond(w http.ResponseWriter, r *http.Request, a accounts.Account) {
	if a.HasSecond {
		d.wrongWay(w, r, a, http.StatusBadRequest, "second-there")
		return
	}
	recovery, err := d.Accounts.ConfirmSecond(r.Context(), a.ID, d.of(r).sessions.Get(r.Context(), keySecret), r.PostForm.Get("code"))
	if errors.Is(err, accounts.ErrWrong) {
		s, err := d.setup(r, a)
		if err != nil {
			d.broken(w, r, err)
			return
		}
		d.accountPage(w, r, a, http.StatusBadRequest, accountPage{Trouble: "code", Setup: s})
		return
	}
	if d.stays(w, r, &a, err) {
		d.showRecovery(w, r, a, "set up second factor", recovery)
	}
}

// showRecovery shows recovery codes, once.
func (d *Door) showRecovery(w http.ResponseWriter, r *http.Request, a accounts.Account, act string, recovery []string) {
	if err := d.note(r, a, act, "done"); err != nil {
		d.broken(w, r, err)
		return
	}
	d.show(w, r, a.Person(), http.StatusOK, "recovery", recoveryPage{"/account", recovery})
}

// coded reports whether the form has a code of the second factor. If not, the answer was given.
func (d *Door) coded(w http.ResponseWriter, r *http.Request, a accounts.Account) bool {
	return d.tried(w, r, a, "second "+strconv.FormatInt(a.ID, 10), "code", func() error {
		return d.Accounts.CheckSecond(r.Context(), a.ID, r.PostForm.Get("code"))
	})
}

// removeSecond takes the second factor away, unless the account must have one.
func (d *Door) removeSecond(w http.ResponseWriter, r *http.Request, a accounts.Account) {
	bare := a
	bare.HasSecond = false
	if d.of(r).lacksSecond(bare) {
		d.wrongWay(w, r, a, http.StatusForbidden, "second-required")
		return
	}
	if d.coded(w, r, a) && d.stays(w, r, &a, d.Accounts.RemoveSecond(r.Context(), a.ID)) {
		d.done(w, r, a, "remove second factor", "second-removed")
	}
}

// renewRecovery makes other recovery codes.
func (d *Door) renewRecovery(w http.ResponseWriter, r *http.Request, a accounts.Account) {
	if !d.coded(w, r, a) {
		return
	}
	recovery, err := d.Accounts.RenewRecovery(r.Context(), a.ID)
	if err != nil {
		d.broken(w, r, err)
		return
	}
	d.showRecovery(w, r, a, "renew recovery codes", recovery)
}

// endSession ends one session of the account.
func (d *Door) endSession(w http.ResponseWriter, r *http.Request, a accounts.Account) {
	err := d.Accounts.EndHandle(r.Context(), a.ID, r.PostForm.Get("session"))
	if err != nil && !errors.Is(err, accounts.ErrUnknown) { // it has ended by itself
		d.broken(w, r, err)
		return
	}
	d.done(w, r, a, "end session", "session")
}

// endSessions ends all sessions of the account but this.
func (d *Door) endSessions(w http.ResponseWriter, r *http.Request, a accounts.Account) {
	if d.stays(w, r, &a, d.Accounts.EndSessions(r.Context(), a.ID)) {
		d.done(w, r, a, "end all sessions", "sessions")
	}
}

// mostDays is how long a token may last.
const mostDays = 3650

// addToken makes a token for a program, and shows it once.
func (d *Door) addToken(w http.ResponseWriter, r *http.Request, a accounts.Account) {
	t := accounts.Token{Name: r.PostForm.Get("name")}
	for _, right := range r.PostForm["right"] {
		t.Rights = append(t.Rights, login.Right(right))
	}
	days, err := strconv.Atoi(r.PostForm.Get("days"))
	if err != nil || days < 1 || days > mostDays {
		d.wrongWay(w, r, a, http.StatusBadRequest, "token-wrong")
		return
	}
	t.Expires = time.Now().AddDate(0, 0, days)
	secret, err := d.Accounts.AddToken(r.Context(), a, t)
	if err != nil {
		d.wrongWay(w, r, a, http.StatusBadRequest, "token-wrong")
		return
	}
	if err := d.note(r, a, "make token", "done"); err != nil {
		d.broken(w, r, err)
		return
	}
	d.accountPage(w, r, a, http.StatusOK, accountPage{Secret: secret})
}

// removeToken ends a token.
func (d *Door) removeToken(w http.ResponseWriter, r *http.Request, a accounts.Account) {
	if err := d.Accounts.RemoveToken(r.Context(), a.ID, r.PostForm.Get("name")); err != nil && !errors.Is(err, accounts.ErrUnknown) {
		d.broken(w, r, err)
		return
	}
	d.done(w, r, a, "remove token", "token-removed")
}
