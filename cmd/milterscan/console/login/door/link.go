package door

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/owner"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/token"
)

// Owners know who owns an address of ours.
type Owners interface {
	// Pages returns how recipients log in.
	Pages() config.PeoplePages
	// Of returns those of some addresses that are ours, the main one of their person first.
	Of(proved []string) []string
	// Verify returns the addresses of one who has the password of the mailbox of an address. The
	// error is accounts.ErrWrong if it is not that.
	Verify(ctx context.Context, name, password string) ([]string, error)
	// Invite has a link sent to an address. Nothing shows whether there is one to send.
	Invite(to, language, browser string)
	// Read returns whose a link is, if it is good in a browser now.
	Read(ctx context.Context, link, browser string) (token.Link, error)
	// Use returns the addresses of the owner of a link, once.
	Use(ctx context.Context, link, browser string) ([]string, error)
	// Complete returns a person with all that is its own now, and with what the host lets it do.
	Complete(ctx context.Context, p login.Person) (login.Person, error)
}

// A link lets in with the browser that has asked for it, which a separate cookie tells: who else
// reads the mail, and programs that open links in mail and press buttons, have nothing from it.

// linkTime is how long a browser is remembered that has asked for a link.
const linkTime = 15 * time.Minute

// linkCookie returns the cookie by which a browser is known that asks for links.
func (d *Door) linkCookie(r *http.Request) *http.Cookie {
	c := &http.Cookie{Name: "milterscan-link", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(linkTime / time.Second)}
	if c.Secure = d.of(r).config.HTTPS(); c.Secure {
		c.Name = "__Host-" + c.Name
	}
	return c
}

// browser returns what the browser is known by, "" if it has asked for no link.
func (d *Door) browser(r *http.Request) string {
	c, err := r.Cookie(d.linkCookie(r).Name)
	if err != nil || len(c.Value) > 64 {
		return ""
	}
	return c.Value
}

// linkAsked has a link sent, and says the same whether there is a person to send it to or not, and
// whether too many were asked for or not.
func (d *Door) linkAsked(w http.ResponseWriter, r *http.Request) {
	if !d.Owners.Pages().By("link") {
		d.askAgain(w, r, http.StatusNotFound, "link-off")
		return
	}
	c := d.linkCookie(r)
	if c.Value = d.browser(r); c.Value == "" {
		c.Value = rand.Text()
	}
	http.SetCookie(w, c)
	to := r.PostForm.Get("address")
	_, ok := d.throttle.Try("link "+nameKey(to), d.client(r)) // which counts until a link is used
	if ok && len(to) <= mostOfAddress {
		d.Owners.Invite(to, d.Language(r, login.Person{}), c.Value)
	} else {
		d.Log.Info("link to log in not sent: too many were asked for", zap.String("client", d.from(r)))
	}
	d.show(w, r, login.Person{}, http.StatusOK, "link-asked", nil)
}

// mostOfAddress is how long an address can be (RFC 5321, section 4.5.3.1).
const mostOfAddress = 320

// linkPage asks for a press of a button.
type linkPage struct{ Address, Path string }

// linkShown shows a page with a button. It changes nothing, however often it is asked for.
func (d *Door) linkShown(w http.ResponseWriter, r *http.Request) {
	l, err := d.Owners.Read(r.Context(), r.PathValue("link"), d.browser(r))
	if err != nil {
		d.badLink(w, r, err)
		return
	}
	d.show(w, r, login.Person{}, http.StatusOK, "link", linkPage{l.Address, owner.LinkPath + r.PathValue("link")})
}

// enterByLink lets in the owner of a link.
func (d *Door) enterByLink(w http.ResponseWriter, r *http.Request) {
	proved, err := d.Owners.Use(r.Context(), r.PathValue("link"), d.browser(r))
	if err != nil {
		d.badLink(w, r, err)
		return
	}
	account, err := d.Accounts.AdmitOwner(r.Context(), proved)
	if err != nil {
		d.refuse(w, r, accounts.Owner+":"+proved[0], time.Now(), err)
		return
	}
	c := d.linkCookie(r)
	c.MaxAge = -1
	http.SetCookie(w, c)
	d.admit(w, r, account, "", "link")
}

// badLink says why a link does not let in.
func (d *Door) badLink(w http.ResponseWriter, r *http.Request, err error) {
	for known, key := range map[error]string{token.ErrNoLink: "link-none", token.ErrExpired: "link-expired", owner.ErrUsed: "link-used",
		owner.ErrBrowser: "link-browser"} {
		if errors.Is(err, known) {
			d.say(w, r, login.Person{}, http.StatusForbidden, key)
			return
		}
	}
	d.broken(w, r, err)
}
