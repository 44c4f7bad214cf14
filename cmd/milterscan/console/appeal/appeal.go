// Package appeal serves the page that a link in a refusal leads to. The sender of the refused
// message proves there to be a person, and writes a line to those it was for.
package appeal

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/pace"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/people/appeals"
	"github.com/milterscan/milterscan/policy/token"
)

// Requests are where appeals go to.
type Requests interface {
	Appeal(ctx context.Context, a people.Appeal, limits people.AppealLimits) error
	Requests(ctx context.Context, f people.RequestFilter) ([]people.Request, error)
}

// Options are what the page works with. All fields are required.
type Options struct {
	Console  *console.Console
	Requests func() Requests
	Key      func() ([]byte, error) // of links
	Now      func() time.Time
}

// room answers senders.
type room struct {
	Options
	pages map[string]*page // by language
	seed  pace.Seed

	mu    sync.Mutex
	tries pace.Counts // by network of browsers
}

// tryLimit is how many forms one network may send.
var tryLimit = pace.Limit{Most: 20, Forget: 2 * time.Minute}

// New returns the surface. It is to be mounted at the console. The error is a fault of the
// program: texts or templates that do not fit.
func New(o Options) (console.Surface, error) {
	x := &room{Options: o, seed: pace.NewSeed(), tries: pace.Counts{}}
	var err error
	if x.pages, err = parse(); err != nil {
		return console.Surface{}, err
	}
	nobody := func(*http.Request) (login.Person, error) { return login.Person{}, console.ErrNobody }
	return console.Surface{Who: nobody, Fail: o.Console.Fail, Routes: []console.Route{
		{Method: http.MethodGet, Pattern: appeals.Path + "{link}", Open: true, Handle: x.asked},
		{Method: http.MethodPost, Pattern: appeals.Path + "{link}", Open: true, Handle: x.sent},
	}}, nil
}

// state is what a link is good for.
type state int

const (
	gone   state = iota // nothing: it is none of ours, or too old, or its copy is not there
	open                // the sender may ask
	passed              // the sender has asked
)

// appealed is the message of a link.
type appealed struct {
	state state
	key   []byte
	entry quarantine.Entry // where it is open
	id    string
}

// find returns the message of a link, and what may be done about it. What became of a message
// that was asked for makes no difference.
func (x *room) find(r *http.Request) (a appealed, err error) {
	if a.key, err = x.Key(); err != nil {
		return a, &console.PartError{Part: console.PartPeople, Err: err}
	}
	if a.id, err = token.ReadShort(a.key, r.PathValue("link"), token.AppealLink); err != nil {
		return a, nil
	}
	list, err := x.Requests().Requests(r.Context(), people.RequestFilter{Kind: people.AppealRequest, Message: a.id, Limit: 1})
	if err != nil {
		return a, &console.PartError{Part: console.PartPeople, Err: err}
	}
	a.entry, err = x.Console.Host.Quarantine().Entry(r.Context(), a.id)
	switch {
	case len(list) > 0 && x.late(list[0].Time):
		return a, nil
	case len(list) > 0:
		a.state = passed
	case errors.Is(err, quarantine.ErrUnknown):
		return a, nil
	case err != nil:
		return a, &console.PartError{Part: console.PartQuarantine, Err: err}
	case a.entry.Record.Appeal && !x.late(a.entry.Record.Time):
		a.state = open
	}
	return a, nil
}

// late reports whether a link is not good any more for something of that time.
func (x *room) late(t time.Time) bool { return x.Now().Sub(t) > x.settings().Keep.Go() }

func (x *room) settings() config.Appeals { return x.Console.Host.Config().People.Appeal }

// asked shows the page. It changes nothing, however often it is asked for, and by any client.
func (x *room) asked(w http.ResponseWriter, r *http.Request, _ login.Person) error {
	a, err := x.find(r)
	if err != nil {
		return err
	}
	switch a.state {
	case passed:
		return x.say(w, r, http.StatusOK, "passed")
	case gone:
		return x.say(w, r, http.StatusNotFound, "gone")
	}
	return x.ask(w, r, a, http.StatusOK, "", "")
}

// sent takes what a sender writes, once, from one who seems to be a person.
func (x *room) sent(w http.ResponseWriter, r *http.Request, _ login.Person) error {
	client := appeals.Network(login.ClientOf(r, x.Console.Host.Config().Console.Proxies))
	if !x.try(client) {
		w.Header().Set("Retry-After", "600")
		return x.say(w, r, http.StatusTooManyRequests, "often")
	}
	a, err := x.find(r)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return errors.Join(console.ErrBad, err)
	}
	text := oneLine(r.PostForm.Get("text"))
	switch a.state {
	case passed:
		err = x.mark(r, a) // which may have failed before
	case open:
		if trouble := x.trouble(a, r, text); trouble != "" {
			return x.ask(w, r, a, http.StatusUnprocessableEntity, trouble, text)
		}
		err = x.pass(r, a, client, text)
	}
	switch {
	case errors.Is(err, people.ErrLimit):
		return x.say(w, r, http.StatusTooManyRequests, "limit")
	case err != nil:
		return err
	}
	http.Redirect(w, r, r.URL.Path, http.StatusSeeOther)
	return nil
}

// try reports whether a network of browsers may send one more form.
func (x *room) try(client string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	key, now := x.seed.Key(client), x.Now()
	if x.tries.Full(key, tryLimit, now) {
		return false
	}
	x.tries.Add(key, tryLimit, now, 1)
	return true
}

// pass asks the recipients, and sees to it that the copy is there when they look.
func (x *room) pass(r *http.Request, a appealed, client, text string) error {
	s := x.settings()
	limits := people.AppealLimits{Client: s.PerClient, Sender: s.PerSender, Recipient: s.PerRecipient, All: s.PerDay}
	asking := people.Appeal{Message: a.id, Sender: a.entry.Record.Sender, Client: client, Recipients: a.entry.Asked(), Text: text,
		Time: x.Now()}
	err := x.Requests().Appeal(context.WithoutCancel(r.Context()), asking, limits)
	switch {
	case errors.Is(err, people.ErrLimit):
		return err
	case err != nil && !errors.Is(err, people.ErrAsked):
		return &console.PartError{Part: console.PartPeople, Err: err}
	}
	return x.mark(r, a)
}

// mark notes with the copy that it was asked for. It may have been deleted meanwhile, which is
// not the sender's business.
func (x *room) mark(r *http.Request, a appealed) error {
	err := quarantine.Appeal(context.WithoutCancel(r.Context()), x.Console.Host.Quarantine(), a.id, x.Now())
	if err != nil && !errors.Is(err, quarantine.ErrUnknown) {
		return &console.PartError{Part: console.PartQuarantine, Err: err}
	}
	return nil
}
