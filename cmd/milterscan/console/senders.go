package console

import (
	"context"
	"errors"
	"net/http"
	"net/mail"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/people"
)

// makerOf says which entries of lists a person may make.
func (c *Console) makerOf(p login.Person) people.Maker {
	m := people.Maker{Name: p.Name, Level: people.OfRecipient, Terms: c.Host.Config().People.Lists}
	switch p.Role {
	case login.Administrator, login.HelpDesk:
		m.Level = people.OfHost
	case login.Domain:
		m.Level = people.OfDomain
	}
	return m
}

// hasList reports whether a list, by its owner, is one of those that a person sees. Of any other
// it is told what it would be told of one that is not there.
func hasList(p login.Person, owner string) bool {
	switch {
	case !p.Bound():
		return p.Role.Has(login.SeeLists)
	case people.LevelOf(owner) == people.OfRecipient:
		return p.Owns(owner)
	case p.Role != login.Domain || people.LevelOf(owner) == people.OfHost:
		return false
	case owner[0] != '.':
		return p.Owns("postmaster@" + owner)
	}
	return slices.ContainsFunc(p.Domains, func(d string) bool { return strings.HasPrefix(d, ".") && strings.HasSuffix(owner, d) })
}

// Senders returns entries of the lists that a person sees, the last made first.
func (c *Console) Senders(ctx context.Context, p login.Person, f people.Filter) ([]people.Entry, error) {
	switch {
	case p.Role == login.Domain:
		f.Domains = append([]string{}, p.Domains...)
	case p.Bound() && f.Owners == nil:
		f.Owners = append([]string{}, p.Addresses...)
	case p.Bound():
		f.Owners = slices.DeleteFunc(slices.Clone(f.Owners), func(o string) bool { return !p.Owns(o) })
	}
	return ask(ctx, c.asks, PartPeople, func(ctx context.Context) ([]people.Entry, error) { return c.Host.Folk().Entries(ctx, f) })
}

// List makes an entry in the name of a person, and writes it down. The error is a people.Error if the
// person may not, or if the entry is none.
func (c *Console) List(r *http.Request, p login.Person, e people.Entry) (people.Entry, error) {
	owner, err := people.FoldOwner(e.Owner)
	switch {
	case !p.May(login.AllowSenders):
		return e, ErrForbidden
	case err != nil:
		return e, &people.Error{Text: err.Error()}
	case !hasList(p, owner):
		return e, ErrNotFound
	}
	made, err := ask(r.Context(), c.asks, PartPeople, func(ctx context.Context) (people.Entry, error) {
		return c.Host.Folk().Add(ctx, c.makerOf(p), e)
	})
	var told *people.Error
	if errors.As(err, &told) {
		err = told
	}
	c.noteSender(r, p, owner, string(e.Act)+" "+e.Pattern, err)
	return made, err
}

// Unlist removes an entry in the name of a person, and writes it down.
func (c *Console) Unlist(r *http.Request, p login.Person, owner string, id int64) error {
	owner, err := people.FoldOwner(owner)
	switch {
	case !p.May(login.AllowSenders):
		return ErrForbidden
	case err != nil || !hasList(p, owner):
		return ErrNotFound
	}
	gone, err := ask(r.Context(), c.asks, PartPeople, func(ctx context.Context) (people.Entry, error) {
		return c.Host.Folk().Remove(ctx, owner, id)
	})
	if errors.Is(err, people.ErrUnknown) {
		return ErrNotFound
	}
	c.noteSender(r, p, owner, "no longer "+string(gone.Act)+" "+gone.Pattern, err)
	return err
}

// noteSender writes down what a person did with a list.
func (c *Console) noteSender(r *http.Request, p login.Person, owner, what string, err error) {
	outcome := what + ": done"
	if err != nil {
		outcome = what + ": " + err.Error()
	}
	if noted := c.People.Audit(r, p, login.AllowSenders, owner, outcome); noted != nil {
		c.note(r, &PartError{PartPeople, noted})
	}
}

// proofs are the findings by which the domain in the From field is the sender's.
var proofs = []string{"auth/dmarc-pass", "auth/dkim-author"}

// proved reports whether the domain in the From field of a message was proved.
func proved(r policy.Record) bool {
	return slices.ContainsFunc(r.Findings, func(f policy.RecordFinding) bool { return slices.Contains(proofs, f.Rule) })
}

// listable is a sender of a message, as it can be put on a list.
type listable struct {
	Pattern string
	Proved  bool // the entry is for mail only of which that is proved
}

// senders returns those of a message that can be listed: its author, if that is proved, and the
// sender of the envelope.
func senders(r policy.Record) (list []listable) {
	if author, err := mail.ParseAddress(r.From); err == nil && proved(r) {
		if folded, err := people.FoldPattern(author.Address); err == nil && people.KindOf(folded) == people.Address {
			list = append(list, listable{folded, true})
		}
	}
	sender, err := people.FoldPattern(r.Sender)
	if err == nil && people.KindOf(sender) == people.Address && (len(list) == 0 || list[0].Pattern != sender) {
		list = append(list, listable{sender, false})
	}
	return list
}

// listSender puts a sender of a message on the list of one of its recipients, or lets it through to one.
func (c *Console) listSender(w http.ResponseWriter, r *http.Request, p login.Person) error {
	if err := r.ParseForm(); err != nil {
		return errors.Join(ErrBad, err)
	}
	id := r.PathValue("id")
	f, err := c.find(r.Context(), p, id)
	if err != nil {
		return err
	}
	if !p.MayWith(login.AllowSenders, f.mail) {
		return ErrForbidden
	}
	if r.PostForm.Get("act") == "pass" {
		return c.letThrough(w, r, p, f)
	}
	act, owner := people.Act(r.PostForm.Get("act")), r.PostForm.Get("owner")
	known := senders(f.Record)
	i := slices.IndexFunc(known, func(l listable) bool { return l.Pattern == r.PostForm.Get("sender") })
	if i < 0 || !slices.Contains(p.Own(f.Record.Addresses()), owner) {
		return ErrBad
	}
	_, err = c.List(r, p, people.Entry{Owner: owner, Act: act, Pattern: known[i].Pattern,
		Authenticated: act == people.Allow && known[i].Proved, Note: "message " + id})
	var told *people.Error
	switch {
	case errors.As(err, &told):
		return c.notActed(w, r, p, id, &Problem{http.StatusBadRequest, "problem-list"})
	case err != nil:
		return c.notActed(w, r, p, id, err)
	}
	done := "sender-allowed"
	if act == people.Block {
		done = "sender-blocked"
	}
	http.Redirect(w, r, linkTo("/messages/"+id, "done", done), http.StatusSeeOther)
	return nil
}
