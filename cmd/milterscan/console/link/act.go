package link

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"slices"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy/address"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/people/digest"
	"github.com/milterscan/milterscan/policy/tell/submission"
	"github.com/milterscan/milterscan/policy/token"
)

// use is a link that a browser has opened, with the message and the terms it is about.
type use struct {
	token.Link
	terms Terms
	entry quarantine.Entry
	to    string       // the recipient as the message names it
	owner login.Person // who the link makes of its bearer
}

// Reasons to show a page without a button.
var (
	errGone    = errors.New("the message is not kept any more, or not for this address")
	errMayNot  = errors.New("the host does not let recipients do this")
	errNoBlock = errors.New("there is no sender")
)

// open returns what a link is about.
func (l *Links) open(r *http.Request) (use, error) {
	key, err := l.Host.Key()
	if errors.Is(err, fs.ErrNotExist) {
		return use{}, token.ErrNoLink
	}
	if err != nil {
		return use{}, err
	}
	u := use{terms: l.Host.Terms()}
	if u.Link, err = token.ReadLink(key, r.PathValue("token"), token.DigestLink, l.Now()); err != nil {
		return u, err
	}
	u.entry, err = l.Host.Quarantine().Entry(r.Context(), u.ID)
	if errors.Is(err, quarantine.ErrUnknown) {
		return u, errGone
	}
	if err != nil {
		return u, err
	}
	return u, u.admit()
}

// admit finds the recipient, and says whether the link may do now what it was made for.
func (u *use) admit() error {
	u.owner = login.Person{Role: login.Recipient, Name: u.Address, Addresses: []string{u.Address}, Classes: u.terms.Classes,
		Releases: u.terms.Releases}
	back := u.entry.Back()
	i := slices.IndexFunc(back, func(to string) bool { folded, err := address.Fold(to); return err == nil && folded == u.Address })
	mail := login.Mail{Sender: u.entry.Record.Sender, Recipients: u.entry.Record.Addresses(), Class: u.entry.Class, Back: back,
		Grave: u.entry.Grave()}
	if i < 0 || !u.owner.Sees(mail) {
		return errGone
	}
	u.to = back[i]
	switch u.Act {
	case digest.Look:
	case digest.Release:
		if !u.owner.MayWith(login.Release, mail) {
			return errMayNot
		}
	case digest.Block:
		if !u.terms.Block {
			return errMayNot
		}
		if mail.Sender == "" {
			return errNoBlock
		}
	default:
		return token.ErrNoLink // of a newer version
	}
	return nil
}

// show shows what a link will do. It changes nothing.
func (l *Links) show(w http.ResponseWriter, r *http.Request, who login.Person) error {
	u, err := l.open(r)
	if err != nil {
		return l.refuse(w, r, who, u, err)
	}
	return l.ask(w, r, who, u, http.StatusOK)
}

// ask shows the page with the button, or that it was pressed before.
func (l *Links) ask(w http.ResponseWriter, r *http.Request, who login.Person, u use, status int) error {
	p := l.page(u, who, "ask")
	if u.Act == digest.Look {
		p.State = "look"
		return l.write(w, r, who, status, p)
	}
	used, err := l.Host.Book().Used(r.Context(), u.Nonce)
	if err != nil {
		return &console.PartError{Part: console.PartPeople, Err: err}
	}
	if p.Used = used; !used.IsZero() {
		p.State = "used"
	} else if u.Act == digest.Release && !slices.Contains(u.entry.Waiting(), u.to) {
		p.State = "had"
	}
	return l.write(w, r, who, status, p)
}

// page returns a page about a link.
func (l *Links) page(u use, who login.Person, state string) page {
	rec := u.entry.Record
	if u.terms.Mine != "" {
		u.terms.Mine += "/" + u.ID
	}
	return page{State: state, Act: u.Act, Allow: u.Act == digest.Release && u.terms.Allow && rec.Sender != "", Mine: u.terms.Mine,
		Logged: who.Name != "", Mail: &shown{Sender: rec.Sender, From: rec.From, Subject: rec.Subject, Class: u.entry.Class,
			To: u.to, Time: rec.Time, Size: rec.Size}}
}

// refuse shows why a link does nothing. A mail that is not kept any more is not described.
func (l *Links) refuse(w http.ResponseWriter, r *http.Request, who login.Person, u use, err error) error {
	p, status := page{Act: u.Act, Mine: u.terms.Mine, Logged: who.Name != ""}, http.StatusForbidden
	switch {
	case errors.Is(err, token.ErrNoLink):
		p.State, status = "invalid", http.StatusNotFound
	case errors.Is(err, token.ErrExpired):
		p.State, status = "expired", http.StatusGone
	case errors.Is(err, errGone):
		p.State, status = "gone", http.StatusGone
	case errors.Is(err, errMayNot):
		p.State = "forbidden"
	case errors.Is(err, errNoBlock):
		p.State = "nosender"
	default:
		return &console.PartError{Part: console.PartQuarantine, Err: err}
	}
	return l.write(w, r, who, status, p)
}

// do does what a link is for, once. A form that a program has sent without pressing the button lacks its
// name, and is shown the page again.
func (l *Links) do(w http.ResponseWriter, r *http.Request, who login.Person) error {
	if err := r.ParseForm(); err != nil {
		return errors.Join(console.ErrBad, err)
	}
	u, err := l.open(r)
	if err != nil {
		return l.refuse(w, r, who, u, err)
	}
	if u.Act == digest.Look || r.PostForm.Get("confirm") != u.Act {
		return l.ask(w, r, who, u, http.StatusBadRequest)
	}
	ctx := context.WithoutCancel(r.Context()) // what has begun is finished, also if its person goes away
	first, err := l.Host.Book().UseOnce(ctx, u.Nonce, u.Expires)
	if err != nil {
		return &console.PartError{Part: console.PartPeople, Err: err}
	}
	if !first {
		return l.ask(w, r, who, u, http.StatusConflict)
	}
	right := login.Release
	if u.Act == digest.Block {
		right, err = login.AllowSenders, l.block(ctx, u)
	} else {
		err = l.release(ctx, u)
	}
	if err != nil && !errors.Is(err, submission.ErrUnsure) && !errors.Is(err, quarantine.ErrReleased) {
		err = errors.Join(err, l.Host.Book().Unuse(ctx, u.Nonce))
	}
	p, status, fault := l.outcome(u, who, err)
	if p.State == "released" && r.PostForm.Get("allow") != "" && p.Allow {
		p.State, p.Why = l.allow(ctx, u)
	}
	said := fmt.Sprintf("%s by a link in a digest: %s", u.Act, cmp.Or(errorText(err), p.State))
	fault = errors.Join(fault, l.Audit(r, u.owner, right, u.ID, said))
	if fault != nil {
		return fault
	}
	return l.write(w, r, who, status, p)
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// outcome returns the page that says what came of an act, or the error that a page of all problems shows.
func (l *Links) outcome(u use, who login.Person, err error) (p page, status int, fault error) {
	var listed *people.Error
	p = l.page(u, who, map[string]string{digest.Release: "released", digest.Block: "blocked"}[u.Act])
	switch {
	case err == nil:
		return p, http.StatusOK, nil
	case errors.Is(err, quarantine.ErrReleased):
		p.State = "had"
	case errors.Is(err, submission.ErrUnsure), errors.Is(err, quarantine.ErrUnsure):
		p.State = "unsure"
	case errors.Is(err, quarantine.ErrUnknown):
		p.State, p.Mail = "gone", nil
	case errors.As(err, &listed):
		p.State, p.Why = "notlisted", listed.Text
	default:
		return p, 0, &console.PartError{Part: console.PartMTA, Err: err}
	}
	return p, http.StatusConflict, nil
}

// release sends the message to the one recipient. No virus goes this way, whatever is configured.
func (l *Links) release(ctx context.Context, u use) error {
	ctx, cancel := context.WithTimeout(ctx, actTime)
	defer cancel()
	_, err := l.Host.Releaser(u.Address).Release(ctx, quarantine.Order{ID: u.ID, To: []string{u.to}, Each: true,
		Note: "by a link in a digest"})
	return err
}

// block has mail of the sender refused from now on.
func (l *Links) block(ctx context.Context, u use) error {
	return l.Host.List(ctx, people.Entry{Owner: u.Address, Act: people.Block, Pattern: u.entry.Record.Sender, Note: "by a link in a digest"})
}

// allow lets mail of the sender through from now on where it proves to be the sender's, and returns the state of the
// page.
func (l *Links) allow(ctx context.Context, u use) (state, why string) {
	var listed *people.Error
	err := l.Host.List(ctx, people.Entry{Owner: u.Address, Act: people.Allow, Pattern: u.entry.Record.Sender, Authenticated: true,
		Note: "by a link in a digest"})
	switch {
	case errors.As(err, &listed):
		return "released-notlisted", listed.Text
	case err != nil:
		return "released-notlisted", ""
	}
	return "allowed", ""
}

// body fills the template.
func (l *Links) body(code string, p page) (template.HTML, error) {
	var b bytes.Buffer
	err := l.templates[code].ExecuteTemplate(&b, "link.html", p)
	return template.HTML(b.String()), err
}
