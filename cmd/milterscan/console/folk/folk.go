// Package folk says which recipients there are, and what they have settled, and lets others settle it for them. Pages
// and the API show the same.
package folk

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/address"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/people/directory"
)

// Store keeps what people settle.
type Store interface {
	SettingsOf(ctx context.Context, addresses []string) (map[string]people.Settings, error)
	DigestsOf(ctx context.Context, persons []string) (map[string]people.Digest, error)
	Delegates(ctx context.Context, owners []string) (map[string][]string, error)
	Heard(ctx context.Context, after string, limit int) ([]string, error)
	SetSettings(ctx context.Context, address string, change func(*people.Settings)) error
	LimitOf(ctx context.Context, address string) (people.Limit, error)
	SetLimit(ctx context.Context, within people.Bounds, l people.Limit) error
	Appoint(ctx context.Context, owner, delegate, by string, now time.Time) error
	Dismiss(ctx context.Context, owner, delegate string) error
}

// Directory says who is who.
type Directory interface {
	Who(address string) (directory.Person, bool)
	Known(address string) (known, sure bool)
	List(w directory.Walk) (list []directory.Person, next string)
}

// Options are what folk is known by. All fields are required.
type Options struct {
	Console   *console.Console
	Store     func() Store
	Directory Directory
	Now       func() time.Time
}

// Folk knows who there is. It may be used by several goroutines at once.
type Folk struct{ Options }

// One is a person, with what it has settled.
type One struct {
	directory.Person                 // of one that no source has, the address alone
	Listed           bool            // a source has it
	Settings         people.Settings // its own; what it has not settled is as the host has it
	Limit            people.Limit    // of the score; lists of people leave it out
	Digest           people.Digest   // the zero Digest where none was sent
	Appointed        []string        // delegates named in the console, as well as those of the sources
}

// The bounds of a page: how many people are looked at in memory, and how many in the store of those that no
// source has.
const (
	mostLooked = 20_000
	mostHeard  = 5_000
)

// heard begins a position in the list of people that no source has: no address begins with it.
const heard = "+"

// List returns a page of the people that a person sees, those of the sources first. next is where the next page goes on;
// "" where that is all. A search that has looked at enough people ends with a page that is not full.
func (f *Folk) List(ctx context.Context, p login.Person, like, after string, limit int) (
	list []One, next string, err error) {
	mine := domainsOf(p)
	rest, among := strings.CutPrefix(after, heard)
	if !among {
		found, next := f.Directory.List(directory.Walk{Domains: mine, After: after, Like: like, Limit: limit,
			Looks: mostLooked})
		for _, who := range found {
			list = append(list, One{Person: who, Listed: true})
		}
		if next != "" || len(list) == limit {
			if next == "" {
				next = heard
			}
			return list, next, f.fill(ctx, p, list)
		}
		rest = ""
	}
	others, next, err := f.heard(ctx, p, like, rest, limit-len(list))
	if err != nil {
		return nil, "", err
	}
	list = append(list, others...)
	return list, next, f.fill(ctx, p, list)
}

// heard returns a page of the people that no source has, but the store has.
func (f *Folk) heard(ctx context.Context, p login.Person, like, after string, limit int) (
	list []One, next string, err error) {
	names, err := kept(ctx, f, func(ctx context.Context, s Store) ([]string, error) {
		return s.Heard(ctx, after, mostHeard)
	})
	if err != nil {
		return nil, "", err
	}
	like = strings.ToLower(strings.TrimSpace(like))
	for i, name := range names {
		if who, known := f.Directory.Who(name); known && who.ID == name || !p.Owns(name) || !strings.Contains(name, like) {
			continue
		}
		list = append(list, One{Person: directory.Person{ID: name, Addresses: []string{name}}})
		if len(list) == limit && (i < len(names)-1 || len(names) == mostHeard) {
			return list, heard + name, nil
		}
	}
	if len(names) == mostHeard {
		return list, heard + names[len(names)-1], nil
	}
	return list, "", nil
}

// One returns the person of an address. The error is console.ErrNotFound for one that another person may not see,
// as for one that is not there.
func (f *Folk) One(ctx context.Context, p login.Person, written string) (One, error) {
	one, err := f.find(p, written)
	if err != nil {
		return One{}, err
	}
	list := []One{one}
	if err = f.fill(ctx, p, list); err == nil {
		list[0].Limit, err = kept(ctx, f, func(ctx context.Context, s Store) (people.Limit, error) { return s.LimitOf(ctx, one.ID) })
	}
	return list[0], err
}

// find returns the person of an address, as the sources have it. Where no source has all addresses of a domain of
// ours, each address there may be a person's.
func (f *Folk) find(p login.Person, written string) (One, error) {
	folded, err := address.Fold(written)
	if err != nil || !p.May(login.SeePeople) {
		return One{}, console.ErrNotFound
	}
	if who, ok := f.Directory.Who(folded); ok {
		if !p.Owns(who.Main()) {
			return One{}, console.ErrNotFound
		}
		return One{Person: who, Listed: true}, nil
	}
	known, sure := f.Directory.Known(folded)
	ours := (policy.Local{Domains: f.Console.Host.Config().Local.Domains}).Has(folded)
	if !ours || !p.Owns(folded) || sure && !known {
		return One{}, console.ErrNotFound
	}
	return One{Person: directory.Person{ID: folded, Addresses: []string{folded}}}, nil
}

// fill adds to a list of people what the stores keep of them. An administrator of domains sees it of addresses in
// these domains only.
func (f *Folk) fill(ctx context.Context, p login.Person, list []One) error {
	var names []string
	for _, one := range list {
		names = append(names, one.ID)
	}
	type told struct {
		settings  map[string]people.Settings
		digests   map[string]people.Digest
		delegates map[string][]string
	}
	got, err := kept(ctx, f, func(ctx context.Context, s Store) (t told, err error) {
		var errs [3]error
		t.settings, errs[0] = s.SettingsOf(ctx, names)
		t.digests, errs[1] = s.DigestsOf(ctx, names)
		t.delegates, errs[2] = s.Delegates(ctx, names)
		return t, errors.Join(errs[:]...)
	})
	if err != nil {
		return err
	}
	for i := range list {
		one := &list[i]
		one.Settings, one.Digest, one.Appointed = got.settings[one.ID], got.digests[one.ID], p.Own(got.delegates[one.ID])
		one.Addresses, one.Delegates = p.Own(one.Addresses), p.Own(one.Delegates)
	}
	return nil
}

// domainsOf returns the domains whose people a person sees; nil for all.
func domainsOf(p login.Person) []policy.Domain {
	if !p.Bound() {
		return nil
	}
	list := []policy.Domain{}
	for _, d := range p.Domains {
		if d != "" {
			list = append(list, policy.Domain(d))
		}
	}
	return list
}

// Settle changes the settings of a person for another, and writes it down. The error is console.ErrBad for settings
// that cannot be.
func (f *Folk) Settle(r *http.Request, p login.Person, written string, change func(*people.Settings)) error {
	one, err := f.changeable(p, written)
	if err != nil {
		return err
	}
	var now people.Settings
	err = changed(r.Context(), f, func(ctx context.Context, s Store) error {
		return s.SetSettings(ctx, one.ID, func(n *people.Settings) { change(n); now = *n })
	})
	if err != nil && now.Check() != nil {
		err = console.ErrBad
	}
	f.note(r, p, one.ID, "settings: language "+now.Language+", digests "+now.Digest, err)
	return err
}

// Limits sets the limit of the score of a person for another, as persons write it, and writes it down; "" takes it back.
// The error is console.ErrBad for one that the host does not let people have.
func (f *Folk) Limits(r *http.Request, p login.Person, written, text string) error {
	one, err := f.changeable(p, written)
	if err != nil {
		return err
	}
	bounds := f.Bounds()
	want, ok := bounds.Read(one.ID, text)
	if !ok {
		return console.ErrBad
	}
	now, err := kept(r.Context(), f, func(ctx context.Context, s Store) (people.Limit, error) { return s.LimitOf(ctx, one.ID) })
	if err != nil || now == want || !bounds.On() {
		return err
	}
	err = changed(r.Context(), f, func(ctx context.Context, s Store) error { return s.SetLimit(ctx, bounds, want) })
	what := "no limit of the score"
	if want.Set {
		what = "limit of the score " + want.String()
	}
	f.note(r, p, one.ID, what, err)
	return err
}

// Bounds returns within what the host lets people set limits of the score.
func (f *Folk) Bounds() people.Bounds { return f.Console.Host.Config().People.Score }

// Appoint has another person act for a person from now on. Both have to be people that the one who does it sees.
func (f *Folk) Appoint(r *http.Request, p login.Person, written, delegate string) error {
	return f.delegate(r, p, written, delegate, "delegate ", func(ctx context.Context, s Store, owner, other string) error {
		return s.Appoint(ctx, owner, other, p.Name, f.Now())
	})
}

// Dismiss has another person no longer act for a person.
func (f *Folk) Dismiss(r *http.Request, p login.Person, written, delegate string) error {
	dismiss := func(ctx context.Context, s Store, owner, other string) error { return s.Dismiss(ctx, owner, other) }
	return f.delegate(r, p, written, delegate, "no longer delegate ", dismiss)
}

// delegate changes who acts for a person.
func (f *Folk) delegate(r *http.Request, p login.Person, written, delegate, what string,
	change func(ctx context.Context, s Store, owner, delegate string) error) error {
	one, err := f.changeable(p, written)
	if err != nil {
		return err
	}
	other, err := f.find(p, delegate)
	if err != nil {
		return errNoDelegate
	}
	err = changed(r.Context(), f, func(ctx context.Context, s Store) error { return change(ctx, s, one.ID, other.ID) })
	for known, problem := range map[error]error{people.ErrSelf: errSelf, people.ErrManyDelegates: errManyDelegates,
		people.ErrUnknown: console.ErrNotFound} {
		if errors.Is(err, known) {
			err = problem
		}
	}
	f.note(r, p, one.ID, what+other.ID, err)
	return err
}

// The reasons not to accept a delegate.
var (
	errNoDelegate    = &console.Problem{Status: http.StatusBadRequest, Key: "problem-no-delegate"}
	errSelf          = &console.Problem{Status: http.StatusBadRequest, Key: "problem-self-delegate"}
	errManyDelegates = &console.Problem{Status: http.StatusConflict, Key: "problem-many-delegates"}
)

// changeable returns the person of an address whose settings another person may change.
func (f *Folk) changeable(p login.Person, written string) (One, error) {
	if !p.May(login.ChangePeople) {
		return One{}, console.ErrForbidden
	}
	return f.find(p, written)
}

// note writes down what a person changed about another.
func (f *Folk) note(r *http.Request, p login.Person, about, what string, err error) {
	outcome := what + ": done"
	if err != nil {
		outcome = what + ": " + err.Error()
	}
	if err := f.Console.People.Audit(r, p, login.ChangePeople, about, outcome); err != nil {
		f.Console.Note(r, err)
	}
}

// kept asks the store of people for something, within the time it may take.
func kept[T any](ctx context.Context, f *Folk, call func(context.Context, Store) (T, error)) (T, error) {
	return console.Ask(ctx, f.Console, console.PartPeople, func(ctx context.Context) (T, error) {
		return call(ctx, f.Store())
	})
}

// changed calls, as kept does, for a change, which returns nothing.
func changed(ctx context.Context, f *Folk, call func(context.Context, Store) error) error {
	_, err := kept(ctx, f, func(ctx context.Context, s Store) (struct{}, error) { return struct{}{}, call(ctx, s) })
	return err
}

// Fails reports whether so many digests of the person did not arrive that it gets none any more, and why.
func (o One) Fails(most int) bool { return most > 0 && o.Digest.Fails() >= most }

// Everybody returns all who may act for the person.
func (o One) Everybody() []string {
	all := slices.Concat(o.Delegates, o.Appointed)
	slices.Sort(all)
	return slices.Compact(all)
}

// Aliases returns the addresses of the person that are not the main one.
func (o One) Aliases() []string {
	return slices.DeleteFunc(slices.Clone(o.Addresses), func(a string) bool { return a == o.ID })
}

// Reads returns the language of the person: the one that it has chosen, or else that of its source.
func (o One) Reads() string { return cmp.Or(o.Settings.Language, o.Language) }
