package door

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/session"
)

// loginPage is what the page to log in shows.
type loginPage struct {
	Next        string
	Trouble     string // key of what went wrong last
	Deaf        bool   // the directory does not answer
	OIDC        bool
	Link        bool   // recipients can have a link sent
	Own         bool   // recipients can log in with the password of their mailbox
	First       bool   // it is a recipient who asks, most likely
	Certificate string // the name in the certificate of the browser
}

// asked shows the page to log in.
func (d *Door) asked(w http.ResponseWriter, r *http.Request) {
	if _, err := d.inside(r); err == nil {
		http.Redirect(w, r, nextOf(r), http.StatusSeeOther)
		return
	}
	d.askAgain(w, r, http.StatusOK, "")
}

// minePath is where the pages of recipients are.
const minePath = "/mine"

// askAgain shows the page to log in, with what went wrong.
func (d *Door) askAgain(w http.ResponseWriter, r *http.Request, status int, trouble string) {
	ways, own := d.of(r), d.Owners.Pages()
	name, _ := ways.certified(r)
	page := loginPage{Next: nextOf(r), Trouble: trouble, Deaf: ways.ldap != nil && d.deaf.Load(), OIDC: ways.oidc != nil, Certificate: name}
	page.Link, page.Own = own.By("link"), own.By("imap") || own.By("smtp") || own.By("ldap")
	page.First = page.Next == minePath || strings.HasPrefix(page.Next, minePath+"/")
	d.show(w, r, login.Person{}, status, "login", page)
}

// enter lets in who has a name and a password.
func (d *Door) enter(w http.ResponseWriter, r *http.Request) {
	name, password := r.PostForm.Get("name"), r.PostForm.Get("password")
	begun := time.Now()
	good, ok := d.throttle.Try(nameKey(name), d.client(r))
	if !ok {
		d.askAgain(w, r, http.StatusTooManyRequests, "slow")
		return
	}
	account, err := d.verify(r, name, password)
	if err != nil {
		d.refuse(w, r, name, begun, err)
		return
	}
	good()
	d.admit(w, r, account, "", "password")
}

// nameKey returns the key by which tries of a name are counted: spellings of one name are one.
func nameKey(name string) string {
	if folded, err := accounts.Canonical(name); err == nil {
		return folded
	}
	return name
}

// verify returns the account of a name and a password: one here, or, if there is none of that name,
// one of the directory, or that of the owner of a mailbox.
func (d *Door) verify(r *http.Request, name, password string) (accounts.Account, error) {
	account, known, err := d.Accounts.Verify(r.Context(), name, password)
	if known || !errors.Is(err, accounts.ErrWrong) {
		return account, err
	}
	if d.of(r).ldap != nil {
		if account, err = d.verifyThere(r, name, password); !errors.Is(err, accounts.ErrWrong) {
			return account, err
		}
	}
	if own := d.Owners.Pages(); !own.By("imap") && !own.By("smtp") {
		return account, err
	}
	proved, err := d.Owners.Verify(r.Context(), name, password)
	if err != nil {
		return accounts.Account{}, err
	}
	return d.Accounts.AdmitOwner(r.Context(), proved)
}

// verifyThere returns the account of a name and a password that the directory knows. The error is
// accounts.ErrWrong where it does not, or does not say.
func (d *Door) verifyThere(r *http.Request, name, password string) (accounts.Account, error) {
	identity, err := d.of(r).ldap.Authenticate(r.Context(), name, password)
	deaf := err != nil && !errors.Is(err, accounts.ErrWrong) && !errors.Is(err, login.ErrNoRole)
	if d.deaf.Swap(deaf); deaf {
		d.Log.Warn("the directory cannot be asked who logs in", zap.Error(err))
		return accounts.Account{}, accounts.ErrWrong
	}
	return d.admitted(r, identity, err, "ldap")
}

// admitted returns the account of a person that another place knows. One who is nothing in the console may
// be a recipient, if recipients log in that way.
func (d *Door) admitted(r *http.Request, i accounts.Identity, err error, way string) (accounts.Account, error) {
	switch own := d.Owners.Of(i.Mail); {
	case err == nil:
		return d.Accounts.Admit(r.Context(), i)
	case errors.Is(err, login.ErrNoRole) && d.Owners.Pages().By(way) && len(own) > 0:
		return d.Accounts.AdmitOwner(r.Context(), own)
	}
	return accounts.Account{}, err
}

// failsAfter is when one hears that a log-in failed where a directory is asked, so that it does not show whether the
// name was known here.
const failsAfter = time.Second

// refuse answers one who is not let in. What was wrong is for the audit log: the page says the same in all cases but
// one. Who has proved to the directory who it is, where recipients log in by that, hears that it has no address here, or
// it would look for the fault in its password.
func (d *Door) refuse(w http.ResponseWriter, r *http.Request, name string, begun time.Time, err error) {
	switch {
	case errors.Is(err, accounts.ErrBusy):
		w.Header().Set("Retry-After", "30")
		d.askAgain(w, r, http.StatusServiceUnavailable, "busy")
		return
	case !errors.Is(err, accounts.ErrWrong) && !errors.Is(err, login.ErrNoRole) && !errors.Is(err, accounts.ErrTaken):
		d.broken(w, r, err)
		return
	}
	outcome := "refused"
	if !errors.Is(err, accounts.ErrWrong) {
		outcome = "refused: " + err.Error()
	}
	d.Log.Info("log-in refused", zap.String("name", name[:min(len(name), mostOfNamed)]), zap.String("client", d.from(r)))
	note := accounts.Entry{Person: name, Client: d.from(r), Act: "log in", Outcome: outcome}
	if err := d.Accounts.NoteStranger(r.Context(), note); err != nil {
		d.broken(w, r, err)
		return
	}
	if own := d.Owners.Pages(); d.of(r).ldap != nil || own.By("imap") || own.By("smtp") {
		wait(r.Context(), begun.Add(failsAfter))
	}
	trouble := "wrong"
	if errors.Is(err, login.ErrNoRole) && d.Owners.Pages().By("ldap") {
		trouble = "no-address"
	}
	d.askAgain(w, r, http.StatusUnauthorized, trouble)
}

// mostOfNamed is how much of a name is logged.
const mostOfNamed = 128

// wait returns at a time, or when ctx is done.
func wait(ctx context.Context, until time.Time) {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// admit lets in the owner of an account, or asks for the second factor first. by is what the session holds on to, and
// way how the owner has proved to be it.
func (d *Door) admit(w http.ResponseWriter, r *http.Request, account accounts.Account, by, way string) {
	ways := d.of(r)
	stage, next := session.Inside, nextOf(r)
	if account.HasSecond || ways.lacksSecond(account) {
		stage, next = session.First, "/second?"+url.Values{"next": {next}}.Encode()
	}
	outcome := map[string]string{session.Inside: "done", session.First: "second factor asked"}[stage]
	if account.Role == login.Recipient {
		outcome += ", by " + way
	}
	err := errors.Join(d.note(r, account, "log in", outcome), d.begin(r, account, stage, by))
	if err == nil && stage == session.Inside {
		err = d.Accounts.Seen(r.Context(), account.ID)
	}
	if err != nil {
		ways.sessions.End(r.Context())
		d.broken(w, r, err)
		return
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}

// begin makes the session that of an account.
func (d *Door) begin(r *http.Request, account accounts.Account, stage, by string) error {
	return d.of(r).sessions.Begin(r.Context(), session.Who{Account: account.ID, Epoch: account.Epoch(), Stage: stage, Client: d.from(r),
		Agent: agent(r), Proof: by})
}

// proof returns the fingerprint of the certificate that a browser has shown, if it was verified.
func proof(r *http.Request) string {
	if leaf := leafOf(r); leaf != nil {
		sum := sha256.Sum256(leaf.Raw)
		return hex.EncodeToString(sum[:])
	}
	return ""
}

func leafOf(r *http.Request) *x509.Certificate {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 || len(r.TLS.VerifiedChains[0]) == 0 {
		return nil
	}
	return r.TLS.VerifiedChains[0][0]
}

// certified returns the name in the certificate of a browser.
func (w *ways) certified(r *http.Request) (name string, ok bool) {
	leaf := leafOf(r)
	switch {
	case leaf == nil || w.config.ClientCA == "":
		return "", false
	case w.config.ClientName == "cn":
		name = leaf.Subject.CommonName
	case len(leaf.EmailAddresses) == 1:
		name = leaf.EmailAddresses[0]
	}
	return name, name != ""
}

// enterByCertificate lets in the owner of a client certificate.
func (d *Door) enterByCertificate(w http.ResponseWriter, r *http.Request) {
	begun := time.Now()
	name, ok := d.of(r).certified(r)
	if !ok {
		d.askAgain(w, r, http.StatusUnauthorized, "no-certificate")
		return
	}
	account, err := d.Accounts.Named(r.Context(), name)
	if err != nil {
		d.refuse(w, r, name, begun, err)
		return
	}
	d.admit(w, r, account, proof(r), "certificate")
}
