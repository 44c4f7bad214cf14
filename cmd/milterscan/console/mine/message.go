package mine

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/tell/courier"
)

// messagePage is one kept message for a person that it is kept back from.
type messagePage struct {
	Entry    quarantine.Entry
	Inside   *console.Content // nil where it cannot be shown
	To       []string         // own addresses
	Waits    bool             // the person has not had it
	Releases bool             // the person may, without asking
	Allows   bool
	Blocks   bool
	Teaches  bool // the person may say whether it is spam
	Requests []people.Request
	Asked    bool // the person has asked for it
	Missing  string
}

// message shows one message: what it is, why it was kept, and its text.
func (x *room) message(w http.ResponseWriter, r *http.Request, p login.Person) error {
	return x.showMessage(w, r, p, http.StatusOK, page{})
}

func (x *room) showMessage(w http.ResponseWriter, r *http.Request, p login.Person, status int, data page) error {
	e, err := x.Console.Kept(r.Context(), p, r.PathValue("id"))
	if err != nil {
		return err
	}
	terms := x.Console.Host.Config().People.Lists.Recipients
	m := &messagePage{Entry: e, To: p.Own(e.Back()), Waits: len(p.Own(e.Waiting())) > 0, Releases: p.MayWith(login.Release, mailOf(e)),
		Allows: terms.Allow != "none" && e.Record.Sender != "", Blocks: terms.Block && e.Record.Sender != "",
		Teaches: x.Console.Teaches(p) && p.MayWith(login.Teach, mailOf(e))}
	data.Data = m
	if m.Requests, err = x.asked(r.Context(), p, people.RequestFilter{Message: e.Record.ID}); err != nil {
		return err
	}
	for _, one := range m.Requests {
		m.Asked = m.Asked || one.Kind == people.ReleaseRequest
	}
	if m.Inside, err = x.Console.Inside(r, p, e.Record.ID); err != nil && data.Title == "" {
		data = x.trouble(r, p, err, data)
	}
	return x.show(w, r, p, "mine-message", status, data)
}

// Bounds of requests.
const (
	mostOfReason = 1000 // bytes
	mostAsked    = 20   // that one person has open
)

// reasonOf returns a text that a person has written, as it is kept.
func reasonOf(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "\ufffd")), " ")
	if len(s) > mostOfReason {
		s = s[:mostOfReason]
		for !utf8.ValidString(s) {
			s = s[:len(s)-1]
		}
	}
	return s
}

// request asks others to release a message that the person may not release.
func (x *room) request(w http.ResponseWriter, r *http.Request, p login.Person) error {
	if err := r.ParseForm(); err != nil {
		return errors.Join(console.ErrBad, err)
	}
	e, err := x.Console.Kept(r.Context(), p, r.PathValue("id"))
	if err != nil {
		return err
	}
	err = x.ask(r, p, e, reasonOf(r.PostForm.Get("reason")))
	if err != nil && !errors.Is(err, people.ErrAsked) {
		return x.showMessage(w, r, p, console.StatusOf(err), x.trouble(r, p, err, page{}))
	}
	http.Redirect(w, r, console.MinePath+"/"+e.Record.ID+"?done=asked", http.StatusSeeOther)
	return nil
}

// ask keeps a request for each of the person's addresses that a message is kept back from, and tells those who
// answer. What was asked before is not asked again.
func (x *room) ask(r *http.Request, p login.Person, e quarantine.Entry, reason string) error {
	if reason == "" {
		return console.ErrNoReason
	}
	open, err := x.asked(r.Context(), p, people.RequestFilter{Kind: people.ReleaseRequest, State: people.RequestOpen, Limit: mostAsked})
	if err == nil && len(open) >= mostAsked {
		err = console.ErrManyAsked
	}
	owners := ownersOf(p, e)
	if err == nil && len(owners) == 0 {
		err = console.ErrNotFound
	}
	if err != nil {
		return err
	}
	one := people.Request{Kind: people.ReleaseRequest, Message: e.Record.ID, Address: owners[0], Who: p.Shown(), Text: reason, Time: x.Now()}
	_, err = kept(r.Context(), x, func(ctx context.Context, s Store) (int64, error) { return s.Ask(ctx, one) })
	if err != nil {
		return err
	}
	if err := x.Console.People.Audit(r, p, login.SeeOwn, e.Record.ID, "asks for a release"); err != nil {
		x.Console.Note(r, err)
	}
	x.forget()
	x.tellDesk(r, e, one)
	return nil
}

// tellDesk tells those who answer requests by mail, as far as the host names any.
func (x *room) tellDesk(r *http.Request, e quarantine.Entry, one people.Request) {
	c := x.Console.Host.Config()
	for _, to := range c.People.Pages.Notify {
		x.send(r, courier.Asked, to, c.Notices.LanguageOf(to), e, courier.Page{URL: x.urlOf(console.RequestsPath), Who: one.Who, Text: one.Text})
	}
}

// urlOf returns the address of a page for a mail, "" where browsers' way is not known.
func (x *room) urlOf(path string) string {
	if u := x.Console.Host.Config().Console.URL; u != "" {
		return strings.TrimRight(u, "/") + path
	}
	return ""
}

// send sends a letter about a message. What cannot be sent is logged: the page says it, too.
func (x *room) send(r *http.Request, kind courier.Kind, to, language string, e quarantine.Entry, p courier.Page) {
	p.Sender, p.Subject, p.ID = e.Record.Sender, e.Record.Subject, e.Record.ID
	_, err := console.Ask(context.WithoutCancel(r.Context()), x.Console, console.PartMTA, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, x.Letters().Send(ctx, kind, to, language, p)
	})
	if err != nil {
		x.Log.Warn("a letter about a request cannot be sent", zap.String("address", to), zap.Error(err))
	}
}
