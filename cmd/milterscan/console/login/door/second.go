package door

import (
	"errors"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/session"
)

// secondPage is what the page for the second factor shows.
type secondPage struct {
	Next    string
	Trouble string
	Setup   *setup // nil where the person has one
}

// setup is what a person needs to set a second factor up.
type setup struct {
	QR     template.HTML
	Secret string // in groups of four
	URL    template.URL
}

// mostTries is how many wrong codes end a log-in.
const mostTries = 5

// half lets those through who have logged in but for the second factor.
func (d *Door) half(next func(http.ResponseWriter, *http.Request, accounts.Account)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		account, who, err := d.known(r)
		switch {
		case errors.Is(err, login.ErrNobody) || err == nil && who.Stage != session.First:
			http.Redirect(w, r, "/login", http.StatusSeeOther)
		case err != nil:
			d.broken(w, r, err)
		default:
			next(w, r, account)
		}
	}
}

// secondAsked shows the page for the second factor, which has to be set up where there is none.
func (d *Door) secondAsked(w http.ResponseWriter, r *http.Request, account accounts.Account) {
	d.askSecond(w, r, account, http.StatusOK, "")
}

func (d *Door) askSecond(w http.ResponseWriter, r *http.Request, account accounts.Account, status int, trouble string) {
	page := secondPage{Next: nextOf(r), Trouble: trouble}
	if !account.HasSecond {
		var err error
		if page.Setup, err = d.setup(r, account); err != nil {
			d.broken(w, r, err)
			return
		}
	}
	d.show(w, r, login.Person{}, status, "second", page)
}

// setup returns what a person needs to set a second factor up. The secret is the same until the session is
// another.
func (d *Door) setup(r *http.Request, account accounts.Account) (*setup, error) {
	sessions := d.of(r).sessions
	issuer := "milterscan " + d.Host
	key, err := accounts.KeyOf(issuer, account.Name, sessions.Get(r.Context(), keySecret))
	if secret := sessions.Get(r.Context(), keySecret); secret == "" || err != nil {
		if key, err = accounts.NewSecond(issuer, account.Name); err != nil {
			return nil, err
		}
		sessions.Put(r.Context(), keySecret, key.Secret())
	}
	picture, err := drawn(key.URL())
	return &setup{picture, grouped(key.Secret()), template.URL(key.URL())}, err
}

// grouped writes a secret in groups of four, to be typed.
func grouped(secret string) string {
	var groups []string
	for len(secret) > 4 {
		groups, secret = append(groups, secret[:4]), secret[4:]
	}
	return strings.Join(append(groups, secret), " ")
}

// secondGiven lets in who has the second factor.
func (d *Door) secondGiven(w http.ResponseWriter, r *http.Request, account accounts.Account) {
	good, ok := d.throttle.Try("second "+strconv.FormatInt(account.ID, 10), d.client(r))
	if !ok {
		d.askSecond(w, r, account, http.StatusTooManyRequests, "slow")
		return
	}
	var recovery []string
	var err error
	if account.HasSecond {
		err = d.Accounts.CheckSecond(r.Context(), account.ID, r.PostForm.Get("code"))
	} else {
		recovery, err = d.Accounts.ConfirmSecond(r.Context(), account.ID, d.of(r).sessions.Get(r.Context(), keySecret), r.PostForm.Get("code"))
	}
	switch {
	case errors.Is(err, accounts.ErrWrong):
		d.wrongCode(w, r, account)
	case err != nil:
		d.broken(w, r, err)
	default:
		good()
		d.pass(w, r, account, recovery)
	}
}

// wrongCode asks again for the second factor, or from the beginning after some wrong codes.
func (d *Door) wrongCode(w http.ResponseWriter, r *http.Request, account accounts.Account) {
	sessions := d.of(r).sessions
	d.Log.Info("log-in refused", zap.String("name", account.Name), zap.String("client", d.from(r)))
	if err := d.note(r, account, "second factor", "refused"); err != nil {
		d.broken(w, r, err)
		return
	}
	tries, _ := strconv.Atoi(sessions.Get(r.Context(), keyTries))
	if tries++; tries >= mostTries {
		sessions.End(r.Context())
		d.askAgain(w, r, http.StatusUnauthorized, "code-again")
		return
	}
	sessions.Put(r.Context(), keyTries, strconv.Itoa(tries))
	d.askSecond(w, r, account, http.StatusUnauthorized, "code")
}

// pass lets a person in, and shows the recovery codes of a second factor that was just set up.
func (d *Door) pass(w http.ResponseWriter, r *http.Request, account accounts.Account, recovery []string) {
	by := d.of(r).sessions.Of(r.Context()).Proof
	account, err := d.Accounts.ByID(r.Context(), account.ID) // setting up ends all sessions but this
	outcome := "done"
	if recovery != nil {
		outcome = "set up"
	}
	if err == nil {
		err = errors.Join(d.note(r, account, "second factor", outcome), d.Accounts.Seen(r.Context(), account.ID),
			d.begin(r, account, session.Inside, by))
	}
	if err != nil {
		d.of(r).sessions.End(r.Context())
		d.broken(w, r, err)
		return
	}
	if recovery != nil {
		d.show(w, r, account.Person(), http.StatusOK, "recovery", recoveryPage{nextOf(r), recovery})
		return
	}
	http.Redirect(w, r, nextOf(r), http.StatusSeeOther)
}

// recoveryPage shows recovery codes, once.
type recoveryPage struct {
	Next  string
	Codes []string
}

// noteRefused writes down why a person was not let in who comes from elsewhere.
func (d *Door) noteRefused(r *http.Request, from string, why error) error {
	return d.Accounts.NoteStranger(r.Context(), accounts.Entry{Client: d.from(r), Act: "log in", Object: from,
		Outcome: "refused: " + why.Error()})
}

// logoutAsked shows a button to log out: nothing changes by looking.
func (d *Door) logoutAsked(w http.ResponseWriter, r *http.Request) {
	account, err := d.inside(r)
	if err != nil {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return
	}
	d.show(w, r, account.Person(), http.StatusOK, "logout", nil)
}

// logout ends the session.
func (d *Door) logout(w http.ResponseWriter, r *http.Request) {
	account, _, known := d.known(r)
	if err := d.of(r).sessions.End(r.Context()); err != nil {
		d.broken(w, r, err)
		return
	}
	if known == nil {
		if err := d.note(r, account, "log out", "done"); err != nil {
			d.broken(w, r, err)
			return
		}
	}
	w.Header().Set("Clear-Site-Data", `"cache"`)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}
