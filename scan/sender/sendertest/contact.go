package sendertest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan/sender/contact"
)

// ContactStore is a contact.Store that can be written to.
type ContactStore interface {
	contact.Store
	Remember(ctx context.Context, keys map[contact.Key]time.Time) error
	Expire(ctx context.Context, now time.Time, most int) (int, error)
}

// Contacts are one store without keys, as each host has it.
type Contacts []ContactStore

// Contact tests a store of each that open returns.
func Contact(t *testing.T, open func(t *testing.T) Contacts) {
	t.Run("known", func(t *testing.T) { contactsKnown(t, open(t)) })
	t.Run("forgotten", func(t *testing.T) { contactsForgotten(t, open(t)) })
	t.Run("many at once", func(t *testing.T) { contactsRace(t, open(t)) })
}

// now is the time of all contacts.
var now = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// at returns the store of a host.
func (c Contacts) at(host int) ContactStore { return c[host%len(c)] }

// pairs returns the keys of some numbers.
func pairs(from, to int) (list []contact.Key) {
	for n := from; n < to; n++ {
		var k contact.Key
		copy(k[:], fmt.Sprintf("%016d", n))
		list = append(list, k)
	}
	return list
}

// remembers puts keys into a store until some days from now.
func remembers(t *testing.T, c ContactStore, keys []contact.Key, days int) {
	t.Helper()
	all := map[contact.Key]time.Time{}
	for _, k := range keys {
		all[k] = now.AddDate(0, 0, days)
	}
	if err := c.Remember(t.Context(), all); err != nil {
		t.Fatal(err)
	}
}

// knows holds a store to the number of keys that it knows some days from now.
func knows(t *testing.T, what string, c ContactStore, keys []contact.Key, days, want int) {
	t.Helper()
	known, err := c.Known(t.Context(), keys, now.AddDate(0, 0, days))
	if err != nil || len(known) != want {
		t.Errorf("%s: %d keys are known, %v; want %d", what, len(known), err, want)
	}
}

// contactsKnown: what one host remembers the other knows, as long as it is to be known.
func contactsKnown(t *testing.T, c Contacts) {
	remembers(t, c.at(0), pairs(0, 1200), 10)
	began, err := c.at(0).Began(t.Context())
	if again, failed := c.at(1).Began(t.Context()); !again.Equal(began) || began.IsZero() || err != nil || failed != nil {
		t.Errorf("began %v and %v, %v, %v", began, again, err, failed)
	}
	knows(t, "in time", c.at(1), pairs(600, 2000), 9, 600)
	knows(t, "when their time is over", c.at(1), pairs(0, 10), 11, 0)
	knows(t, "of none", c.at(1), nil, 0, 0)
	remembers(t, c.at(1), pairs(0, 1), 20) // longer, and never less
	remembers(t, c.at(0), pairs(0, 1), 5)
	knows(t, "once more", c.at(1), pairs(0, 1), 19, 1)
}

// contactsForgotten: those go whose time is over, and the next ones where there are too many.
func contactsForgotten(t *testing.T, c Contacts) {
	for n := range 10 {
		remembers(t, c.at(n), pairs(n, n+1), n)
	}
	for i, test := range []struct{ after, most, gone int }{{0, 100, 0}, {3, 100, 3}, {3, 5, 2}, {100, 5, 5}} {
		if gone, err := c.at(i).Expire(t.Context(), now.AddDate(0, 0, test.after),
			test.most); gone != test.gone || err != nil {
			t.Errorf("%+v: %d gone, %v", test, gone, err)
		}
	}
}

// contactsRace has several remember at the same moment, some of it the same.
func contactsRace(t *testing.T, c Contacts) {
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for i := range 10 {
				at := (n*10 + i) * 10
				keys := map[contact.Key]time.Time{}
				for _, k := range append(pairs(at, at+10), pairs(5000, 5050)...) {
					keys[k] = now.AddDate(0, 0, 1+i)
				}
				if err := c.at(n).Remember(t.Context(), keys); err != nil {
					t.Error(err)
				}
				knows(t, "at once", c.at(n+1), pairs(at, at+10), 0, 10)
			}
		})
	}
	all.Wait()
	knows(t, "those of all", c.at(0), pairs(5000, 5050), 9, 50)
}
