package mine

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/tell/courier"
)

// requestsOfPage is how many requests a page lists.
const requestsOfPage = 50

// deskPage lists what people ask for.
type deskPage struct {
	Requests []asking
	All      bool  // answered ones, too
	Next     int64 // what the next page comes below; 0 where that is all
}

// asking is a request with its message.
type asking struct {
	people.Request
	Entry    *quarantine.Entry // nil: it is not kept any more, or is none of the person's
	Releases bool              // the person may
	Infected bool
}

// filterFor returns the filter of the requests that a person answers.
func filterFor(p login.Person, f people.RequestFilter) people.RequestFilter {
	if p.Role == login.Domain {
		f.Domains = append([]string{}, p.Domains...)
	}
	return f
}

// requests lists what people ask a person for.
func (x *room) requests(w http.ResponseWriter, r *http.Request, p login.Person) error {
	return x.showRequests(w, r, p, http.StatusOK, page{})
}

func (x *room) showRequests(w http.ResponseWriter, r *http.Request, p login.Person, status int, data page) error {
	d := &deskPage{All: r.URL.Query().Get("all") != ""}
	data.Data = d
	below, _ := strconv.ParseInt(r.URL.Query().Get("below"), 10, 64)
	f := filterFor(p, people.RequestFilter{Below: max(0, below), Limit: requestsOfPage + 1})
	if !d.All {
		f.State = people.RequestOpen
	}
	list, err := kept(r.Context(), x, func(ctx context.Context, s Store) ([]people.Request, error) { return s.Requests(ctx, f) })
	if err != nil {
		return x.show(w, r, p, "requests", console.StatusOf(err), x.trouble(r, p, err, data))
	}
	if len(list) > requestsOfPage {
		list = list[:requestsOfPage]
		d.Next = list[requestsOfPage-1].ID
	}
	for _, one := range list {
		a := asking{Request: one}
		e, err := x.Console.Kept(r.Context(), p, one.Message)
		switch {
		case err == nil:
			a.Entry, a.Releases, a.Infected = &e, p.MayWith(login.Release, mailOf(e)), slices.Contains(e.Grave(), "infected")
		case !errors.Is(err, console.ErrNotFound):
			return x.show(w, r, p, "requests", console.StatusOf(err), x.trouble(r, p, err, data))
		}
		d.Requests = append(d.Requests, a)
	}
	return x.show(w, r, p, "requests", status, data)
}

// answer grants or refuses what a person has asked for. Of several who answer at once one does.
func (x *room) answer(w http.ResponseWriter, r *http.Request, p login.Person) error {
	if err := r.ParseForm(); err != nil {
		return errors.Join(console.ErrBad, err)
	}
	state := people.RequestState(r.PostForm.Get("answer"))
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id <= 0 {
		return console.ErrNotFound
	}
	if state != people.RequestGranted && state != people.RequestRefused {
		return console.ErrBad
	}
	list, err := kept(r.Context(), x, func(ctx context.Context, s Store) ([]people.Request, error) {
		return s.Requests(ctx, filterFor(p, people.RequestFilter{ID: id, Limit: 1}))
	})
	if err == nil && len(list) == 0 {
		err = console.ErrNotFound
	}
	if err != nil {
		return err
	}
	if err := x.settleRequest(r, p, list[0], state, reasonOf(r.PostForm.Get("text"))); err != nil {
		return x.showRequests(w, r, p, console.StatusOf(err), x.trouble(r, p, err, page{}))
	}
	http.Redirect(w, r, console.RequestsPath+"?done="+string(state), http.StatusSeeOther)
	return nil
}

// settleRequest takes a request for a person, does as asked, and tells who has asked. A request
// whose message cannot be let go is open again.
func (x *room) settleRequest(r *http.Request, p login.Person, one people.Request, state people.RequestState, text string) error {
	ctx := context.WithoutCancel(r.Context()) // what has begun is finished
	e, err := x.Console.Kept(ctx, p, one.Message)
	if err != nil && !(state == people.RequestRefused && errors.Is(err, console.ErrNotFound)) {
		return err
	}
	err = changed(ctx, x, func(ctx context.Context, s Store) error {
		err := s.Answer(ctx, one.ID, state, p.Name, text)
		if errors.Is(err, people.ErrAnswered) || errors.Is(err, people.ErrUnknown) {
			err = console.ErrAnswered
		}
		return err
	})
	defer x.forget()
	if err != nil {
		return err
	}
	if state == people.RequestGranted {
		if err := x.grant(r, p, one, e); err != nil {
			return errors.Join(err, changed(ctx, x, func(ctx context.Context, s Store) error { return s.Reopen(ctx, one.ID, p.Name) }))
		}
	}
	if err := x.Console.People.Audit(r, p, login.AnswerRequests, one.Message+" for "+one.Address, string(state)); err != nil {
		x.Console.Note(r, err)
	}
	if one.Kind == people.ReleaseRequest { // senders hear nothing: anybody can write any sender
		x.send(r, courier.Answered, one.Address, x.languageOf(ctx, one.Address), e,
			courier.Page{Granted: state == people.RequestGranted, Text: text, URL: x.urlOf(console.MinePath)})
	}
	return nil
}

// grant releases the copy of one recipient. One that has gone already is as good.
func (x *room) grant(r *http.Request, p login.Person, one people.Request, e quarantine.Entry) error {
	to := slices.DeleteFunc(e.Back(), func(to string) bool {
		return !slices.Contains(quarantine.Row{Waiting: []string{to}}.WaitingFor(), one.Address)
	})
	if len(to) == 0 {
		return console.ErrNotFound
	}
	err := x.Console.Do(r, p, one.Message, "release", console.Order{To: to, Each: true})
	var problem *console.Problem
	if errors.As(err, &problem) && problem.Key == "act-released" {
		return nil
	}
	return err
}

// languageOf returns the language of a recipient.
func (x *room) languageOf(ctx context.Context, address string) string {
	s, err := kept(ctx, x, func(ctx context.Context, s Store) (people.Settings, error) { return s.Settings(ctx, address) })
	if err == nil && s.Language != "" {
		return s.Language
	}
	if who, ok := x.Directory.Who(address); ok && who.Language != "" {
		return who.Language
	}
	return x.Console.Host.Config().Notices.LanguageOf(address)
}

// counted is how many requests waited at a time.
type counted struct {
	n  int
	at time.Time
}

// How long a count is good, and how long one may take: every page has it.
const (
	countGood = 5 * time.Second
	countTime = 500 * time.Millisecond
)

// count returns how many requests wait for a person, as far as that is known.
func (x *room) count(ctx context.Context, p login.Person) int {
	whose := ""
	if p.Role == login.Domain {
		whose = "of " + strings.Join(p.Domains, " ")
	}
	x.mu.Lock()
	last, known := x.waiting[whose]
	if known = known && x.Now().Sub(last.at) < countGood; !known {
		if len(x.waiting) > 1000 {
			clear(x.waiting)
		}
		x.waiting[whose] = counted{last.n, x.Now()} // others do not ask meanwhile
	}
	x.mu.Unlock()
	if known {
		return last.n
	}
	ctx, cancel := context.WithTimeout(ctx, countTime)
	defer cancel()
	list, err := kept(ctx, x, func(ctx context.Context, s Store) ([]people.Request, error) {
		return s.Requests(ctx, filterFor(p, people.RequestFilter{State: people.RequestOpen, Limit: 100}))
	})
	if err != nil {
		return last.n
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.waiting[whose] = counted{len(list), x.Now()}
	return len(list)
}

// forget has the number of requests counted again.
func (x *room) forget() {
	x.mu.Lock()
	defer x.mu.Unlock()
	clear(x.waiting)
}
