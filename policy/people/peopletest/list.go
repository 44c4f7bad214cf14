package peopletest

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/people"
)

func lists(t *testing.T, p pair) {
	s := p.here
	first, err := s.Add(t.Context(), root, people.Entry{Owner: "Bob@example.com", Act: people.Allow,
		Pattern: "Ann@Example.NET", Note: " a friend "})
	if err != nil || first.ID == 0 || first.Owner != "bob@example.com" || first.Pattern != "ann@example.net" ||
		first.Note != "a friend" || first.Maker != "root" {
		t.Fatalf("%+v, %v", first, err)
	}
	changed, err := s.Add(t.Context(), root, people.Entry{Owner: "bob@example.com", Act: people.Block,
		Pattern: "ann@example.net"})
	if err != nil || changed.ID != first.ID {
		t.Errorf("%+v, %v", changed, err)
	}
	for _, e := range []people.Entry{
		{Owner: "bob@example.com", Act: people.Allow, Pattern: "ann@example.net", Authenticated: true},
		{Owner: "example.com", Act: people.Block, Pattern: "@example.org"},
		{Owner: "sub.example.com", Act: people.Block, Pattern: "@example.org"},
		{Owner: people.Host, Act: people.Block, Pattern: "192.0.2.0/24", Expires: time.Now().Add(time.Hour)},
	} {
		if _, err := s.Add(t.Context(), root, e); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []struct {
		filter people.Filter
		want   int
	}{
		{people.Filter{}, 5}, {people.Filter{Owners: []string{"bob@example.com"}}, 2},
		{people.Filter{Owners: []string{}}, 0}, {people.Filter{Domains: []string{}}, 0},
		{people.Filter{Domains: []string{"example.com"}}, 3}, {people.Filter{Domains: []string{".example.com"}}, 1},
		{people.Filter{Domains: []string{".example.com", "example.com"}}, 4},
		{people.Filter{Domains: []string{""}}, 0}, {people.Filter{Domains: []string{"ample.com"}}, 0},
		{people.Filter{Act: people.Allow}, 1}, {people.Filter{Like: "EXAMPLE.ORG"}, 2}, {people.Filter{Like: "%"}, 0},
		{people.Filter{Limit: 2}, 2}, {people.Filter{Before: first.ID + 1}, 1},
		{people.Filter{Owners: []string{people.Host}, Act: people.Block}, 1},
	} {
		if list, err := s.Entries(t.Context(), c.filter); err != nil || len(list) != c.want {
			t.Errorf("%+v: %d entries, %v; want %d", c.filter, len(list), err, c.want)
		}
	}
	if _, err := s.Remove(t.Context(), "eve@example.com", first.ID); !errors.Is(err, people.ErrUnknown) {
		t.Errorf("another's entry: %v", err)
	}
	if gone, err := s.Remove(t.Context(), "bob@example.com", first.ID); err != nil || gone.Act != people.Block {
		t.Errorf("%+v, %v", gone, err)
	}
	if _, err := s.Remove(t.Context(), "bob@example.com", first.ID); !errors.Is(err, people.ErrUnknown) {
		t.Errorf("twice: %v", err)
	}
	if n, err := s.RemoveAll(t.Context(), people.Filter{Domains: []string{"example.com"}}); n != 2 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

func expireEntries(t *testing.T, p pair) {
	s := p.here
	for i, expires := range []time.Time{{}, time.Now().Add(time.Hour), time.Now().Add(3 * time.Hour)} {
		if _, err := s.Add(t.Context(), root, people.Entry{Owner: people.Host, Act: people.Block,
			Pattern: fmt.Sprintf("%d@example.net", i), Expires: expires}); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := s.ExpireEntries(t.Context(), time.Now().Add(2*time.Hour)); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	list, err := s.Entries(t.Context(), people.Filter{})
	if err != nil || len(list) != 2 ||
		!slices.ContainsFunc(list, func(e people.Entry) bool { return e.Expires.IsZero() }) {
		t.Errorf("%+v, %v", list, err)
	}
}

// importStops makes what came before a bad entry, in slices, and says how many.
func importStops(t *testing.T, p pair) {
	s := p.here
	bad := errors.New("line 3")
	n, err := s.Import(t.Context(), root, func(yield func(people.Entry, error) bool) {
		if yield(people.Entry{Owner: people.Host, Act: people.Block, Pattern: "a@example.net"}, nil) {
			yield(people.Entry{}, bad)
		}
	})
	if n != 0 || !errors.Is(err, bad) {
		t.Errorf("%d, %v", n, err)
	}
	made := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	one := func(e people.Entry) iter.Seq2[people.Entry, error] {
		return func(yield func(people.Entry, error) bool) { yield(e, nil) }
	}
	e := people.Entry{Owner: "bob@example.com", Act: people.Block, Pattern: "a@example.net", Maker: "ann", Made: made}
	for _, by := range []people.Maker{root, {Name: "dora", Level: people.OfDomain, Terms: people.DefaultTerms()}} {
		if n, err := s.Import(t.Context(), by, one(e)); n != 1 || err != nil {
			t.Error(n, err)
		}
		list, err := s.Entries(t.Context(), people.Filter{})
		if err != nil || len(list) != 1 ||
			(list[0].Maker == "ann" && list[0].Made.Equal(made)) != (by.Level == people.OfHost) {
			t.Errorf("%s: %+v, %v", by.Name, list, err)
		}
	}
}

// Many yields that many entries.
func Many(n int) iter.Seq2[people.Entry, error] {
	return func(yield func(people.Entry, error) bool) {
		for i := range n {
			if !yield(people.Entry{Owner: fmt.Sprintf("user%d@example.com", i%1000), Act: people.Block,
				Pattern: fmt.Sprintf("many%d@example.net", i)}, nil) {
				return
			}
		}
	}
}
