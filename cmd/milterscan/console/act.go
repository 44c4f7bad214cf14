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
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/tell/submission"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/scorer"
)

// act is something that a person can do with a kept message.
type act struct {
	name  string // the last word of its address
	right login.Right
	done  string // of what a page says afterwards
	do    func(c *Console, ctx context.Context, p login.Person, f *found, form form) error
}

// form is what a person has filled in.
type form struct {
	To       []string
	Again    bool // also if it was let out before
	Infected bool // also if a virus was found in it
	Sure     bool
	Each     bool // to those in To, each by itself
}

// acts returns all of them.
func acts() []act {
	return []act{
		{"release", login.Release, "released", (*Console).release},
		{"clean", login.Release, "cleaned", (*Console).sendClean},
		{"forward", login.Forward, "forwarded", (*Console).forward},
		{"delete", login.Delete, "deleted", (*Console).delete},
		{"handled", login.MarkHandled, "handled", func(c *Console, ctx context.Context, p login.Person, f *found, _ form) error {
			return c.Host.Releaser(p.Name).Handle(ctx, f.Record.ID, true)
		}},
		{"reopen", login.MarkHandled, "reopened", func(c *Console, ctx context.Context, p login.Person, f *found, _ form) error {
			return c.Host.Releaser(p.Name).Handle(ctx, f.Record.ID, false)
		}},
		{"learn-spam", login.Teach, "learned-spam", teaching(scorer.Spam)},
		{"learn-ham", login.Teach, "learned-ham", teaching(scorer.Ham)},
	}
}

// actNamed returns an act by its name.
func actNamed(name string) (act, error) {
	all := acts()
	if i := slices.IndexFunc(all, func(a act) bool { return a.name == name }); i >= 0 {
		return all[i], nil
	}
	return act{}, ErrNotFound
}

// infected reports whether a virus was found in a message.
func infected(r policy.Record) bool {
	return slices.ContainsFunc(r.Findings, func(f policy.RecordFinding) bool { return f.Kind == scan.Infected })
}

// release sends a message to those who have not had it. One that is infected goes as the
// attachment of a mail from us, so that no recipient opens it for mail of its author.
func (c *Console) release(ctx context.Context, p login.Person, f *found, in form) error {
	to, err := recipients(p, f, in)
	if err != nil {
		return err
	}
	order := quarantine.Order{ID: f.Record.ID, To: to, Each: p.Bound() || in.Each, Again: in.Again, Infected: in.Infected}
	if !infected(f.Entry.Record) {
		_, err := c.Host.Releaser(p.Name).Release(ctx, order)
		return err
	}
	if !in.Infected {
		return quarantine.ErrInfected
	}
	return c.Host.Releaser(p.Name).Forward(ctx, order)
}

// recipients returns the addresses to which a person releases a message: those that the form names,
// or all that have not had it.
func recipients(p login.Person, f *found, in form) ([]string, error) {
	to := in.To
	if len(to) == 0 {
		to = awaiting(p, f.Entry)
	}
	switch {
	case len(to) == 0:
		return nil, errNobodyLeft
	case slices.ContainsFunc(to, func(a string) bool { return !mayHave(p, f, a) }):
		return nil, errStranger
	}
	return to, nil
}

// mayHave reports whether a person may release a message to an address: to one that it was
// for, or to any if the person may forward it. A recipient has it where it was kept back.
func mayHave(p login.Person, f *found, address string) bool {
	if p.Role == login.Recipient && !slices.Contains(f.Entry.Back(), address) {
		return false
	}
	return p.Owns(address) && (slices.Contains(f.Entry.Record.Addresses(), address) || p.MayWith(login.Forward, f.mail))
}

// forward sends a message, as an attachment, to a person who is to look at it.
func (c *Console) forward(ctx context.Context, p login.Person, f *found, in form) error {
	if len(in.To) == 0 {
		return errNoAddress
	}
	return c.Host.Releaser(p.Name).Forward(ctx, quarantine.Order{ID: f.Record.ID, To: in.To, Infected: in.Infected})
}

// delete removes a message for good. One who sees the mail of some domains or addresses only removes
// it from these: others may still want it.
func (c *Console) delete(ctx context.Context, p login.Person, f *found, in form) error {
	if !in.Sure {
		return errNotSure
	}
	if r := f.Entry.Record; p.Bound() && !(ours(r) && p.Owns(r.Sender)) {
		return c.Host.Releaser(p.Name).Dismiss(ctx, r.ID, p.Own(f.Entry.Back()))
	}
	return c.Host.Releaser(p.Name).Delete(ctx, f.Record.ID)
}

// The reasons not to do what a form asks for.
var (
	errNobodyLeft = &Problem{http.StatusConflict, "act-nobody-left"}
	errNoAddress  = &Problem{http.StatusBadRequest, "act-no-address"}
	errAddress    = &Problem{http.StatusBadRequest, "act-address"}
	errStranger   = &Problem{http.StatusForbidden, "act-stranger"}
	errNotSure    = &Problem{http.StatusBadRequest, "act-not-sure"}
)

// problemOfAct returns the problem that an act met, as far as its person can do something
// about it.
func problemOfAct(err error) error {
	for known, key := range map[error]string{quarantine.ErrReleased: "act-released", quarantine.ErrUnsure: "act-unsure",
		quarantine.ErrInfected: "act-infected", submission.ErrUnsure: "act-unsure"} {
		if errors.Is(err, known) {
			return &Problem{http.StatusConflict, key}
		}
	}
	if errors.Is(err, quarantine.ErrUnknown) {
		return ErrNotFound
	}
	if p := problemOfLesson(err); p != nil {
		return p
	}
	return err
}

// part returns the part of the installation that an act needs as well as the quarantine.
func (a act) part() Part {
	if a.right == login.Teach {
		return PartScorers
	}
	return PartMTA
}

// Do has a person do something with a kept message, and writes down what came of it.
func (c *Console) Do(r *http.Request, p login.Person, id, name string, in form) error {
	a, err := actNamed(name)
	if err != nil {
		return err
	}
	if p.Role == login.Recipient {
		in = form{Sure: in.Sure} // what has gone is gone, and an own copy goes to no one else
	}
	ctx := context.WithoutCancel(r.Context()) // what has begun is finished, also if its person goes away
	f, err := c.kept(r.Context(), p, id, a.right)
	if err == nil {
		_, err = ask(ctx, c.asks, a.part(), func(ctx context.Context) (struct{}, error) {
			return struct{}{}, problemOfAct(a.do(c, ctx, p, f, in))
		})
	}
	if errors.Is(err, ErrNotFound) {
		return err // of one that it may not see there is nothing to write down
	}
	outcome := "done"
	if err != nil {
		outcome = err.Error()
	} else if len(in.To) > 0 {
		outcome = "to " + strings.Join(in.To, ", ")
	}
	if noted := c.People.Audit(r, p, a.right, id, outcome); noted != nil {
		c.note(r, &PartError{PartPeople, noted})
	}
	return err
}

// readForm reads what a person has filled in.
func readForm(r *http.Request) (form, error) {
	if err := r.ParseForm(); err != nil {
		return form{}, errors.Join(ErrBad, err)
	}
	in := form{Again: r.PostForm.Get("again") != "", Infected: r.PostForm.Get("infected") != "", Sure: r.PostForm.Get("sure") != ""}
	for _, to := range strings.FieldsFunc(r.PostForm.Get("to"), func(r rune) bool { return strings.ContainsRune(", ;\r\n\t", r) }) {
		to = strings.Trim(to, "<>")
		if _, err := mail.ParseAddress("<" + to + ">"); err != nil {
			return form{}, errAddress
		}
		in.To = append(in.To, to)
	}
	return in, nil
}

// acting returns the handler that does something with one message, and shows it again.
func (c *Console) acting(a act) Handler {
	return func(w http.ResponseWriter, r *http.Request, p login.Person) error {
		in, err := readForm(r)
		if err != nil {
			return err
		}
		id := r.PathValue("id")
		if err := c.Do(r, p, id, a.name, in); err != nil {
			return c.notActed(w, r, p, id, err)
		}
		to := "/messages/" + id
		if a.name == "delete" {
			to = "/quarantine"
		}
		http.Redirect(w, r, linkTo(to, "done", a.done), http.StatusSeeOther)
		return nil
	}
}

// notActed shows a message with the reason why nothing was done with it.
func (c *Console) notActed(w http.ResponseWriter, r *http.Request, p login.Person, id string, err error) error {
	f, lost := c.find(r.Context(), p, id)
	if lost != nil {
		return err
	}
	v := c.view(r, p, "message")
	m := c.messagePage(r.Context(), v, f)
	t := troubleOf(v.pages, err)
	m.Error = &t
	c.note(r, err)
	v.Page = m
	return v.write(w, StatusOf(err))
}
