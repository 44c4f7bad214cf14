package peopletest

import (
	"fmt"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/people"
)

// taken is a Taker that has what it was told.
type taken struct {
	all     bool
	entries map[string]people.Act
	limits  map[string]people.Limit
}

func (k *taken) Begin(all bool) {
	if k.all = all; all {
		k.entries, k.limits = map[string]people.Act{}, map[string]people.Limit{}
	}
}

func (k *taken) Take(e people.Entry) { k.entries[k.key(e)] = e.Act }

func (k *taken) Drop(e people.Entry) { delete(k.entries, k.key(e)) }

func (k *taken) Limit(l people.Limit) { k.limits[l.Address] = l }

func (k *taken) key(e people.Entry) string {
	return fmt.Sprint(e.Owner, " ", e.Pattern, " ", e.Authenticated)
}

// changes has a reader follow the changes, and holds what it has against all there is.
func changes(t *testing.T, p pair) {
	s := p.here
	reader := &taken{}
	var mark people.Mark
	follow := func(step string, all bool) {
		t.Helper()
		var err error
		if mark, err = p.there.ChangesSince(t.Context(), mark, reader); err != nil {
			t.Fatal(err)
		}
		list, err := s.Entries(t.Context(), people.Filter{})
		if err != nil || len(list) != len(reader.entries) || reader.all != all {
			t.Errorf("%s: %d entries, the reader has %v, all %v, %v", step, len(list), reader.entries, reader.all, err)
		}
		for _, e := range list {
			if reader.entries[reader.key(e)] != e.Act {
				t.Errorf("%s: the reader lacks %+v", step, e)
			}
		}
		if last, err := s.Mark(t.Context()); last != mark || err != nil {
			t.Errorf("%s: %v, %v, %v", step, last, mark, err)
		}
	}
	add := func(act people.Act, pattern string) people.Entry {
		t.Helper()
		e, err := s.Add(t.Context(), root, people.Entry{Owner: people.Host, Act: act, Pattern: pattern})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	follow("nothing", false)
	a := add(people.Allow, "a@example.net")
	follow("one", true)
	b := add(people.Allow, "b@example.net")
	add(people.Block, "a@example.net")
	follow("changed", false)
	if _, err := s.Remove(t.Context(), people.Host, a.ID); err != nil {
		t.Fatal(err)
	}
	follow("removed", false)
	if _, err := s.Remove(t.Context(), people.Host, b.ID); err != nil {
		t.Fatal(err)
	}
	add(people.Block, "b@example.net")
	follow("removed and made again", false)
	if n, err := s.Import(t.Context(), root, Many(20_000+5)); n != 20_000+5 || err != nil {
		t.Fatal(n, err)
	}
	follow("many", false)
	if n, err := s.RemoveAll(t.Context(), people.Filter{Like: "many"}); n != 20_000+5 || err != nil {
		t.Fatal(n, err)
	}
	if _, err := s.ExpireEntries(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	follow("more than is remembered", true)
	mark.Change++
	follow("from before a backup was restored", true)
	mark.Lineage = "another"
	follow("another file", true)
}
