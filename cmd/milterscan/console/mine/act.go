package mine

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy/address"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/people"
)

// mostBulk is how many messages something can be done with at once.
const mostBulk = 100

// deed is something that a person does with a message.
type deed struct {
	done string // of what a page says afterwards
	do   func(x *room, r *http.Request, p login.Person, id string) error
}

// deeds are all of them, by the words of the form.
var deeds = map[string]deed{
	"release": {"released", (*room).release},
	"allow":   {"allowed", (*room).allow},
	"block":   {"blocked", (*room).block},
	"delete":  {"deleted", (*room).remove},
	"spam":    {"learned-spam", teaching("learn-spam")},
	"ham":     {"learned-ham", teaching("learn-ham")},
}

// teaching returns what tells the scorers what a message is, by the act of the console. The message stays where it is.
func teaching(act string) func(x *room, r *http.Request, p login.Person, id string) error {
	return func(x *room, r *http.Request, p login.Person, id string) error {
		err := x.Console.Do(r, p, id, act, console.Order{})
		if errors.Is(err, console.ErrForbidden) {
			err = errMayNotTeach // and asking for a release would be of no use
		}
		return err
	}
}

// errMayNotTeach says that the host does not let its recipients teach the scorers.
var errMayNotTeach = errors.New("recipients do not teach scorers here")

// result is what came of it for one message.
type result struct {
	ID          string
	Title, Text string // of what went wrong; "" where it was done
}

// actPage asks whether something is to be done, or says what came of it.
type actPage struct {
	Act     string
	IDs     []string
	Results []result
	Done    int
}

// act does something with one message, or with several, one after the other. What cannot be undone is asked
// about first.
func (x *room) act(w http.ResponseWriter, r *http.Request, p login.Person) error {
	if err := r.ParseForm(); err != nil {
		return errors.Join(console.ErrBad, err)
	}
	a := &actPage{Act: r.PostForm.Get("act"), IDs: r.PostForm["id"]}
	d, known := deeds[a.Act]
	switch {
	case !known || len(a.IDs) > mostBulk:
		return console.ErrBad
	case len(a.IDs) == 0:
		return x.showList(w, r, p, http.StatusBadRequest, x.trouble(r, p, console.ErrNoneChosen, page{}))
	case a.Act == "delete" && r.PostForm.Get("sure") == "":
		return x.show(w, r, p, "mine-sure", http.StatusOK, page{Data: a})
	}
	for _, id := range a.IDs {
		one := result{ID: id}
		if err := d.do(x, r, p, id); err != nil {
			one.Title, one.Text = x.told(r, p, err)
		} else {
			a.Done++
		}
		if a.Results = append(a.Results, one); r.Context().Err() != nil {
			break
		}
	}
	if a.Done == len(a.IDs) {
		http.Redirect(w, r, console.MinePath+"?done="+d.done, http.StatusSeeOther)
		return nil
	}
	return x.show(w, r, p, "mine-acted", http.StatusOK, page{Data: a})
}

// told returns the texts of an error. That of a list says itself why an entry is not made.
func (x *room) told(r *http.Request, p login.Person, err error) (title, text string) {
	code := console.LanguageOf(r, p)
	var entry *people.Error
	switch {
	case errors.As(err, &entry):
		return x.texts[code].Of("no-entry"), entry.Text
	case errors.Is(err, errNoSender):
		return x.texts[code].Of("no-sender"), x.texts[code].Of("no-sender-text")
	case errors.Is(err, errMayNotTeach):
		return x.Console.Trouble(r, code, console.ErrForbidden)
	case errors.Is(err, console.ErrForbidden):
		return x.texts[code].Of("ask-first"), x.texts[code].Of("ask-first-text")
	}
	return x.Console.Trouble(r, code, err)
}

// release lets a person have its own copies, and answers the senders who have asked for that.
func (x *room) release(r *http.Request, p login.Person, id string) error {
	if err := x.Console.Do(r, p, id, "release", console.Order{}); err != nil {
		return err
	}
	x.answerSenders(r, p, id, people.RequestGranted)
	return nil
}

// remove takes a message away from a person.
func (x *room) remove(r *http.Request, p login.Person, id string) error {
	if err := x.Console.Do(r, p, id, "delete", console.Order{Sure: true}); err != nil {
		return err
	}
	x.answerSenders(r, p, id, people.RequestRefused)
	return nil
}

// answerSenders notes what became of a message for whose release senders have asked a person.
func (x *room) answerSenders(r *http.Request, p login.Person, id string, state people.RequestState) {
	ctx := context.WithoutCancel(r.Context())
	list, err := x.asked(ctx, p, people.RequestFilter{Kind: people.AppealRequest, Message: id, State: people.RequestOpen})
	for _, one := range list {
		err = errors.Join(err, changed(ctx, x, func(ctx context.Context, s Store) error { return s.Answer(ctx, one.ID, state, p.Name, "") }))
	}
	if err != nil && !errors.Is(err, people.ErrAnswered) {
		x.Console.Note(r, err)
	}
}

// errNoSender says that a message has no sender that could be on a list.
var errNoSender = errors.New("the message has no sender")

// allow has the sender's mail let through from now on, and releases the message.
func (x *room) allow(r *http.Request, p login.Person, id string) error {
	e, err := x.Console.Kept(r.Context(), p, id)
	if err != nil {
		return err
	}
	if !p.MayWith(login.Release, mailOf(e)) {
		return console.ErrForbidden // or an entry would be left that lets the next one through
	}
	if err := x.enter(r, p, e, people.Allow); err != nil {
		return err
	}
	return x.release(r, p, id)
}

// block has the sender's mail refused from now on.
func (x *room) block(r *http.Request, p login.Person, id string) error {
	e, err := x.Console.Kept(r.Context(), p, id)
	if err != nil {
		return err
	}
	return x.enter(r, p, e, people.Block)
}

// enter puts the sender of a message on the lists of its recipients, as far as the person acts for them and the
// message is kept back from them.
func (x *room) enter(r *http.Request, p login.Person, e quarantine.Entry, act people.Act) error {
	sender, err := address.Fold(e.Record.Sender)
	if err != nil {
		return errNoSender
	}
	for _, owner := range x.personsOf(p, e) {
		if err := x.add(r, p, people.Entry{Owner: owner, Act: act, Pattern: sender}); err != nil {
			return err
		}
	}
	return nil
}

// personsOf returns the main addresses of the recipients from which a message is kept back, as far as a person acts
// for them: an entry of a main address counts for all addresses of its person.
func (x *room) personsOf(p login.Person, e quarantine.Entry) []string {
	var list []string
	for _, own := range ownersOf(p, e) {
		if who, ok := x.Directory.Who(own); ok && slices.Contains(p.Addresses, who.Main()) {
			own = who.Main()
		}
		if !slices.Contains(list, own) {
			list = append(list, own)
		}
	}
	return list
}

// ownersOf returns those of a person's addresses from which a message is kept back.
func ownersOf(p login.Person, e quarantine.Entry) []string {
	var list []string
	for _, to := range p.Own(e.Back()) {
		folded, err := address.Fold(to)
		if err == nil && p.Resolve != nil && !slices.Contains(p.Addresses, folded) {
			folded = p.Resolve(folded)
		}
		if err == nil && slices.Contains(p.Addresses, folded) && !slices.Contains(list, folded) {
			list = append(list, folded)
		}
	}
	return list
}

// mailOf returns what has to be known of a kept message to say what a person may do with it.
func mailOf(e quarantine.Entry) login.Mail {
	return login.Mail{Sender: e.Record.Sender, Class: e.Class, Back: e.Back(), Grave: e.Grave()}
}
