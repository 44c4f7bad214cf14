package console

import (
	"context"
	"html/template"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/timeline"
)

// This file is what other surfaces share with the pages, so that a person sees and may do the
// same everywhere. All of it answers like the pages: with what the person sees only, and
// within the time that the part that is asked may take.

// Mount makes the routes of a surface reachable that needs the console itself. It is called
// before the console answers.
func (c *Console) Mount(s Surface) { c.mount(s) }

// CountRequests has the navigation show how many requests wait for a person. It is called before
// the console answers; count is not to wait for long.
func (c *Console) CountRequests(count func(context.Context, login.Person) int) { c.requests = count }

// Message is all that a person may know of one message.
type Message struct {
	Record policy.Record
	Entry  *quarantine.Entry // nil if it is not kept
	Errs   []error           // of parts that did not answer
}

// Search returns a page of what a person sees of the history, nil where there is none.
func (c *Console) Search(ctx context.Context, p login.Person, f history.Filter, after history.Cursor) (*history.Page, error) {
	return c.search(ctx, p, f, after)
}

// Message returns a message by its id. The error is ErrNotFound for one that a person may not
// see, as for one that is not there.
func (c *Console) Message(ctx context.Context, p login.Person, id string) (Message, error) {
	f, err := c.find(ctx, p, id)
	if err != nil {
		return Message{}, err
	}
	return Message{f.Record, entrySeen(p, f), f.Errs}, nil
}

// Kept returns a kept message likewise.
func (c *Console) Kept(ctx context.Context, p login.Person, id string) (quarantine.Entry, error) {
	right := login.SeeQuarantine
	if p.Role.Has(login.SeeOwn) {
		right = login.SeeOwn
	}
	f, err := c.kept(ctx, p, id, right)
	if err != nil {
		return quarantine.Entry{}, err
	}
	return *entrySeen(p, f), nil
}

// entrySeen returns the entry of a message as a person sees it.
func entrySeen(p login.Person, f *found) *quarantine.Entry {
	if f.Entry == nil || !p.Bound() {
		return f.Entry
	}
	e := *f.Entry
	e.Record = seen(p, e.Record)
	e.Events = nil
	for _, event := range f.Entry.Events {
		if event.To = p.Own(event.To); len(event.To) > 0 || ofAll(event.What) {
			event.Answer = ""
			e.Events = append(e.Events, event)
		}
	}
	return &e
}

// Rows returns a page of kept messages that a person sees, and whether there are more.
func (c *Console) Rows(ctx context.Context, p login.Person, f quarantine.Filter) (rows []quarantine.Row, more bool, err error) {
	return c.rows(ctx, p, f)
}

// Order is what a person wants of a kept message.
type Order = form

// Judge judges a mail as "scan" does, and keeps nothing of it.
func (c *Console) Judge(ctx context.Context, mail io.Reader, about pipeline.Delivery) (policy.Record, error) {
	return c.judge(ctx, mail, about, int64(c.Host.Config().Limits.Message))
}

// Counts adds up what was counted since, for those who see the whole host.
func (c *Console) Counts(ctx context.Context, since time.Time) ([]history.Count, error) {
	return ask(ctx, c.asks, PartHistory, func(ctx context.Context) ([]history.Count, error) {
		if h := c.Host.History(); h != nil {
			return h.Counts(ctx, since)
		}
		return nil, nil
	})
}

// Timeline returns what became of a message, as far as a person may know it.
func (c *Console) Timeline(ctx context.Context, p login.Person, id string) (timeline.Story, error) {
	f, err := c.find(ctx, p, id)
	if err != nil {
		return timeline.Story{}, err
	}
	s, err := c.story(ctx, p, f)
	if p.Bound() {
		s.Outcomes = slices.DeleteFunc(s.Outcomes, func(o timeline.Outcome) bool { return !p.Owns(o.Recipient) })
	}
	return s, err
}

// Note writes an error to the log that is the console's, not that of the person who asks.
func (c *Console) Note(r *http.Request, err error) { c.note(r, err) }

// Functions returns what templates of other rooms call, in a language, so that texts of messages are
// shown everywhere alike.
func (c *Console) Functions(language string) template.FuncMap { return c.pages[language].functions() }

// Trouble returns the texts of an error in a language, and writes it to the log if it is ours.
func (c *Console) Trouble(r *http.Request, language string, err error) (title, text string) {
	c.note(r, err)
	t := troubleOf(c.pages[language], err)
	return t.Title, t.Text
}

// Ask calls a part of the daemon for another room, within the time that the part may take.
func Ask[T any](ctx context.Context, c *Console, part Part, call func(context.Context) (T, error)) (T, error) {
	return ask(ctx, c.asks, part, call)
}

// Words returns the name of an error, and in English what it is and what can be done.
func (c *Console) Words(err error) (name, title, text string) {
	t := troubleOf(c.pages["en"], err)
	return nameOf(err), t.Title, t.Text
}
