package door

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/oidc"
)

// Texts that sessions hold.
const (
	keyPending = "oidc"   // the log-in that has begun at the provider
	keyNext    = "next"   // where it goes on after it
	keySecret  = "secret" // of a second factor that is set up
	keyTries   = "tries"  // of the second factor
)

// toProvider sends a browser to the provider of OpenID Connect.
func (d *Door) toProvider(w http.ResponseWriter, r *http.Request) {
	ways := d.of(r)
	if ways.oidc == nil {
		d.say(w, r, login.Person{}, http.StatusNotFound, "no-provider")
		return
	}
	where, pending, err := ways.oidc.Begin(r.Context())
	if err != nil {
		d.Log.Warn("the provider of OpenID Connect cannot be asked who logs in", zap.Error(err))
		d.askAgain(w, r, http.StatusBadGateway, "provider")
		return
	}
	ways.sessions.Put(r.Context(), keyPending, pending.Encode())
	ways.sessions.Put(r.Context(), keyNext, nextOf(r))
	http.Redirect(w, r, where, http.StatusSeeOther)
}

// fromProvider lets in who comes back from the provider of OpenID Connect.
func (d *Door) fromProvider(w http.ResponseWriter, r *http.Request) {
	begun, ways := time.Now(), d.of(r)
	pending, ok := oidc.Decode(ways.sessions.Pop(r.Context(), keyPending)) // good once, whatever comes of it
	next := ways.sessions.Pop(r.Context(), keyNext)
	if ways.oidc == nil || !ok {
		d.askAgain(w, r, http.StatusUnauthorized, "provider-refused")
		return
	}
	identity, err := ways.oidc.Finish(r.Context(), pending, r.URL.Query())
	account, err := d.admitted(r, identity, err, "oidc")
	if errors.Is(err, oidc.ErrRefused) || errors.Is(err, login.ErrNoRole) {
		d.refuseProvided(w, r, err)
		return
	}
	if err != nil && identity.Name == "" && !errors.Is(err, accounts.ErrWrong) {
		d.Log.Warn("the provider of OpenID Connect cannot be asked who logs in", zap.Error(err))
		d.askAgain(w, r, http.StatusBadGateway, "provider")
		return
	}
	if err != nil {
		d.refuse(w, r, identity.Name, begun, err)
		return
	}
	r.Form = url.Values{"next": {next}} // not what came back with the browser
	d.admit(w, r, account, "", "OpenID Connect")
}

// refuseProvided answers a person that the provider's answer does not let in.
func (d *Door) refuseProvided(w http.ResponseWriter, r *http.Request, err error) {
	d.Log.Info("log-in refused", zap.String("name", ""), zap.String("client", d.from(r)))
	if err := d.noteRefused(r, "oidc", err); err != nil {
		d.broken(w, r, err)
		return
	}
	trouble := "provider-refused"
	switch {
	case errors.Is(err, login.ErrNoRole) && d.Owners.Pages().By("oidc"):
		trouble = "no-address"
	case errors.Is(err, login.ErrNoRole):
		trouble = "no-role"
	}
	d.askAgain(w, r, http.StatusUnauthorized, trouble)
}
