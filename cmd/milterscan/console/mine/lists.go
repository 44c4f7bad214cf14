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
	"github.com/milterscan/milterscan/policy/people"
)

// entriesOfPage is how many entries a page lists.
const entriesOfPage = 100

// listsPage has the entries of a person's addresses.
type listsPage struct {
	Entries   []people.Entry
	Next      int64 // what the next page comes below; 0 where that is all
	Like      string
	Allows    bool
	Blocks    bool
	Only      bool // senders are allowed with a DMARC or DKIM pass only
	Days      []int
	Addresses []string
	Form      people.Entry // what was filled in
}

// lists shows the senders that a person allows and blocks.
func (x *room) lists(w http.ResponseWriter, r *http.Request, p login.Person) error {
	return x.showLists(w, r, p, http.StatusOK, page{}, people.Entry{Act: people.Block})
}

func (x *room) showLists(w http.ResponseWriter, r *http.Request, p login.Person, status int, data page, form people.Entry) error {
	terms := x.Console.Host.Config().People.Lists.Recipients
	l := &listsPage{Allows: terms.Allow != "none", Only: terms.Allow == "authenticated", Blocks: terms.Block, Days: []int{30, 90, 365},
		Addresses: p.Addresses, Form: form, Like: pattern(r.URL.Query().Get("like"))}
	below, _ := strconv.ParseInt(r.URL.Query().Get("below"), 10, 64)
	f := people.Filter{Owners: p.Addresses, Like: l.Like, Before: max(0, below), Limit: entriesOfPage + 1}
	data.Data = l
	var err error
	l.Entries, err = kept(r.Context(), x, func(ctx context.Context, s Store) ([]people.Entry, error) { return s.Entries(ctx, f) })
	if err != nil {
		return x.show(w, r, p, "mine-lists", console.StatusOf(err), x.trouble(r, p, err, data))
	}
	if len(l.Entries) > entriesOfPage {
		l.Entries = l.Entries[:entriesOfPage]
		l.Next = l.Entries[entriesOfPage-1].ID
	}
	return x.show(w, r, p, "mine-lists", status, data)
}

// mostDays is how long an entry may be for that says how long.
const mostDays = 3650

// addEntry makes an entry.
func (x *room) addEntry(w http.ResponseWriter, r *http.Request, p login.Person) error {
	if err := r.ParseForm(); err != nil {
		return errors.Join(console.ErrBad, err)
	}
	e := people.Entry{Owner: r.PostForm.Get("owner"), Act: people.Act(r.PostForm.Get("act")), Pattern: r.PostForm.Get("pattern"),
		Authenticated: r.PostForm.Get("authenticated") != "", Note: r.PostForm.Get("note")}
	if days := r.PostForm.Get("days"); days != "" {
		n, err := strconv.Atoi(days)
		if err != nil || n < 1 || n > mostDays {
			return console.ErrBad
		}
		e.Expires = x.Now().AddDate(0, 0, n)
	}
	if e.Owner == "" && len(p.Addresses) > 0 {
		e.Owner = p.Addresses[0]
	}
	if !slices.Contains(p.Addresses, e.Owner) {
		return console.ErrNotFound
	}
	if err := x.add(r, p, e); err != nil {
		data := page{}
		data.Title, data.Text = x.told(r, p, err)
		return x.showLists(w, r, p, statusOf(err), data, e)
	}
	http.Redirect(w, r, console.MinePath+"/lists?done=listed", http.StatusSeeOther)
	return nil
}

// statusOf returns the status of an error of lists; of others, that of console.StatusOf.
func statusOf(err error) int {
	var entry *people.Error
	if errors.As(err, &entry) {
		return http.StatusBadRequest
	}
	return console.StatusOf(err)
}

// add makes an entry in the name of a person, and writes it down.
func (x *room) add(r *http.Request, p login.Person, e people.Entry) error {
	if !p.May(login.AllowSenders) {
		return console.ErrForbidden
	}
	by := people.Maker{Name: p.Name, Level: people.OfRecipient, Terms: x.Console.Host.Config().People.Lists}
	e.Note = strings.Join(strings.Fields(e.Note), " ")
	_, err := kept(r.Context(), x, func(ctx context.Context, s Store) (people.Entry, error) { return s.Add(ctx, by, e) })
	outcome := "done"
	if err != nil {
		outcome = err.Error()
	}
	x.noteEntry(r, p, e.Owner, string(e.Act)+" "+e.Pattern+": "+outcome)
	return err
}

// noteEntry writes down what a person did with a list.
func (x *room) noteEntry(r *http.Request, p login.Person, owner, outcome string) {
	if err := x.Console.People.Audit(r, p, login.AllowSenders, owner, outcome); err != nil {
		x.Console.Note(r, err)
	}
}

// removeEntry removes an entry. One of another person is answered like one that is not there.
func (x *room) removeEntry(w http.ResponseWriter, r *http.Request, p login.Person) error {
	if err := r.ParseForm(); err != nil {
		return errors.Join(console.ErrBad, err)
	}
	owner := r.PostForm.Get("owner")
	id, err := strconv.ParseInt(r.PostForm.Get("id"), 10, 64)
	if err != nil || !slices.Contains(p.Addresses, owner) {
		return console.ErrNotFound
	}
	e, err := kept(r.Context(), x, func(ctx context.Context, s Store) (people.Entry, error) {
		e, err := s.Remove(ctx, owner, id)
		if errors.Is(err, people.ErrUnknown) {
			err = console.ErrNotFound
		}
		return e, err
	})
	if err != nil {
		return err
	}
	x.noteEntry(r, p, owner, "no longer "+string(e.Act)+" "+e.Pattern+": done")
	http.Redirect(w, r, console.MinePath+"/lists?done=unlisted", http.StatusSeeOther)
	return nil
}

// Expired reports whether an entry does not count any more.
func (l *listsPage) Expired(e people.Entry) bool { return e.Expired(time.Now()) }
