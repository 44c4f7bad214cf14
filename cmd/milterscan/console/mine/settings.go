package mine

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/folk"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/wording"
	"github.com/milterscan/milterscan/policy/people"
)

// settingsPage is what a person has settled.
type settingsPage struct {
	people.Settings
	At        string // of daily digests
	Intervals []string
	Languages []string
	Limit     string // of the score, "" for that of the rules
	Bounds    people.Bounds
	Own       []string // addresses of the person
	Others    []string // those of persons who have made it a delegate
}

// settings shows what a person has settled, and which addresses are its own.
func (x *room) settings(w http.ResponseWriter, r *http.Request, p login.Person) error {
	return x.showSettings(w, r, p, http.StatusOK, page{})
}

func (x *room) showSettings(w http.ResponseWriter, r *http.Request, p login.Person, status int, data page) error {
	s := &settingsPage{Intervals: people.Intervals(), Languages: wording.Languages(), Bounds: x.Console.Host.Config().People.Score}
	var err error
	s.Settings, err = kept(r.Context(), x, func(ctx context.Context, store Store) (people.Settings, error) {
		return store.Settings(ctx, p.Shown())
	})
	if err != nil {
		return err
	}
	if limit, err := x.limitOf(r.Context(), p); err != nil {
		return err
	} else {
		s.Limit = limit.String()
	}
	if s.Digest == "daily" {
		s.At = folk.TimeOfDay(s.Settings.At)
	}
	own := p.Addresses[:1]
	if who, ok := x.Directory.Who(p.Shown()); ok {
		own = who.Addresses
	}
	for _, a := range p.Addresses {
		if slices.Contains(own, a) || a == p.Shown() {
			s.Own = append(s.Own, a)
		} else {
			s.Others = append(s.Others, a)
		}
	}
	data.Data = s
	return x.show(w, r, p, "mine-settings", status, data)
}

// settle takes over what a person has settled.
func (x *room) settle(w http.ResponseWriter, r *http.Request, p login.Person) error {
	if err := r.ParseForm(); err != nil {
		return errors.Join(console.ErrBad, err)
	}
	want, err := folk.Wanted(r.PostForm.Get("language"), r.PostForm.Get("digest"), r.PostForm.Get("at"))
	if err != nil {
		return err
	}
	b := x.Console.Host.Config().People.Score
	limit, ok := b.Read(p.Shown(), r.PostForm.Get("limit"))
	if !ok {
		texts := x.texts[console.LanguageOf(r, p)]
		return x.showSettings(w, r, p, http.StatusBadRequest, page{Title: texts.Of("no-limit"), Text: texts.Of("no-limit-text", b.Least, b.Most)})
	}
	err = changed(r.Context(), x, func(ctx context.Context, s Store) error {
		return s.SetSettings(ctx, p.Shown(), func(now *people.Settings) {
			now.Language, now.Digest, now.At = want.Language, want.Digest, want.At
		})
	})
	if err == nil {
		err = x.setLimit(r, p, limit)
	}
	if err != nil {
		return err
	}
	if err := x.Console.People.Audit(r, p, login.SeeOwn, p.Shown(), "settles: language "+want.Language+", digests "+want.Digest); err != nil {
		x.Console.Note(r, err)
	}
	http.Redirect(w, r, console.MinePath+"/settings?done=settled", http.StatusSeeOther)
	return nil
}

// limitOf returns the limit of the score that a person has set.
func (x *room) limitOf(ctx context.Context, p login.Person) (people.Limit, error) {
	return kept(ctx, x, func(ctx context.Context, s Store) (people.Limit, error) { return s.LimitOf(ctx, p.Shown()) })
}

// setLimit takes over the limit that a person wants, if it is another, and writes it down.
func (x *room) setLimit(r *http.Request, p login.Person, want people.Limit) error {
	bounds := x.Console.Host.Config().People.Score
	now, err := x.limitOf(r.Context(), p)
	if err != nil || !bounds.On() || now == want {
		return err
	}
	err = changed(r.Context(), x, func(ctx context.Context, s Store) error { return s.SetLimit(ctx, bounds, want) })
	if err != nil {
		return err
	}
	outcome := "sets no limit"
	if want.Set {
		outcome = "sets the limit " + want.String()
	}
	if err := x.Console.People.Audit(r, p, login.SeeOwn, p.Shown(), outcome); err != nil {
		x.Console.Note(r, err)
	}
	return nil
}
