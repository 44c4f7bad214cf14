package door

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/policy/token"
)

// ssoPath is where programs that know persons send their browsers.
const ssoPath = "/login/sso"

// ssoPage is what the page shows before it lets a person in.
type ssoPage struct {
	Account, Time, Nonce, Mark string
	Next                       string
	Other                      string // who has logged in with this browser now
}

// The reasons not to let in a person that another program has sent.
var (
	errUsed  = errors.New("it was used before")
	errFixed = errors.New("the account has a role that no other program lets in")
)

// signedOn returns what another program says of the person who asks.
func (d *Door) signedOn(r *http.Request) (token.SignOn, error) {
	file := d.of(r).config.SSO.KeyFile
	if file == "" || d.Once == nil {
		return token.SignOn{}, fmt.Errorf("%w: there is no console.sso.key_file", token.ErrNoSignOn)
	}
	key, err := token.KeyFile(file).Read()
	if err != nil {
		return token.SignOn{}, err
	}
	return token.ReadSignOn(key, r.Form, d.now())
}

// now returns the time by the clock of sign-ons.
func (d *Door) now() time.Time {
	if d.Now == nil {
		return time.Now()
	}
	return d.Now()
}

// ssoAsked shows who is to be let in, and a button. Looking changes nothing and lets no person in: an address that
// another person has sent would log a person in under a name that is not the person's.
func (d *Door) ssoAsked(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		d.say(w, r, login.Person{}, http.StatusBadRequest, "bad")
		return
	}
	s, err := d.signedOn(r)
	if err != nil {
		d.refuseSSO(w, r, err)
		return
	}
	page := ssoPage{Account: s.Account, Time: r.Form.Get("time"), Nonce: s.Nonce, Mark: r.Form.Get("mark"), Next: nextOf(r)}
	if a, err := d.inside(r); err == nil && a.Name != s.Account {
		page.Other = a.Name
	}
	d.show(w, r, login.Person{}, http.StatusOK, "sso", page)
}

// ssoEnter lets in a person that another program has sent, once, as with a password: who has a second factor
// is asked for it.
func (d *Door) ssoEnter(w http.ResponseWriter, r *http.Request) {
	s, err := d.signedOn(r)
	var account accounts.Account
	if err == nil {
		account, err = d.Accounts.Named(r.Context(), s.Account)
	}
	if err == nil && !slices.Contains(d.of(r).config.SSO.Roles, string(account.Role)) {
		err = fmt.Errorf("%w: %s", errFixed, account.Role)
	}
	if err == nil {
		var first bool
		if first, err = d.Once(r.Context(), s.Name(), s.Issued.Add(token.SignOnLife)); err == nil && !first {
			err = errUsed
		}
	}
	if err != nil {
		d.refuseSSO(w, r, err)
		return
	}
	d.admit(w, r, account, "", "single sign-on")
}

// refuseSSO answers one who is not let in. What was wrong is for the log and the audit log: the page says the same
// in all cases.
func (d *Door) refuseSSO(w http.ResponseWriter, r *http.Request, err error) {
	known := func(e error) bool { return errors.Is(err, e) }
	if !slices.ContainsFunc([]error{token.ErrNoSignOn, token.ErrSignOnOld, errUsed, errFixed, accounts.ErrWrong}, known) {
		d.broken(w, r, err)
		return
	}
	d.Log.Info("log-in refused", zap.String("name", r.Form.Get("account")[:min(len(r.Form.Get("account")), mostOfNamed)]),
		zap.String("client", d.from(r)), zap.Error(err))
	if err := d.noteRefused(r, "sso", err); err != nil {
		d.broken(w, r, err)
		return
	}
	d.askAgain(w, r, http.StatusUnauthorized, "sso-refused")
}
