package store

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan/sender/contact"
)

var _ contact.Store = (*Contact)(nil)

func newContact(t *testing.T, path string) *Contact {
	t.Helper()
	c := NewContact(path, func(err error) { t.Log(err) })
	t.Cleanup(func() { c.Close() })
	return c
}

// pairs are the keys of some numbers.
func pairs(from, to int) (list []contact.Key) {
	for n := from; n < to; n++ {
		var k contact.Key
		copy(k[:], fmt.Sprintf("%016d", n))
		list = append(list, k)
	}
	return list
}

// remembers puts keys into a store until some days from now.
func remembers(t *testing.T, c *Contact, keys []contact.Key, days int) {
	t.Helper()
	all := map[contact.Key]time.Time{}
	for _, k := range keys {
		all[k] = now.AddDate(0, 0, days)
	}
	if err := c.Remember(t.Context(), all); err != nil {
		t.Fatal(err)
	}
}

// knows counts the keys that a store knows some days from now.
func knows(t *testing.T, c *Contact, keys []contact.Key, days int) int {
	t.Helper()
	known, err := c.Known(t.Context(), keys, now.AddDate(0, 0, days))
	if err != nil {
		t.Fatal(err)
	}
	return len(known)
}

func TestContactsOutliveTheirProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "contact.db")
	first := newContact(t, path)
	remembers(t, first, pairs(0, 1200), 10)
	began, err := first.Began(t.Context())
	if err != nil || time.Since(began) > time.Hour || time.Since(began) < -time.Hour {
		t.Errorf("began %v, %v", began, err)
	}
	first.Close()
	second := newContact(t, path)
	if again, err := second.Began(t.Context()); !again.Equal(began) || err != nil {
		t.Errorf("began %v, then %v, %v", began, again, err)
	}
	if n := knows(t, second, pairs(600, 2000), 9); n != 600 {
		t.Errorf("%d keys are known", n)
	}
	if n := knows(t, second, pairs(0, 10), 11); n != 0 {
		t.Errorf("%d keys are known when their time is over", n)
	}
	if n := knows(t, second, nil, 0); n != 0 {
		t.Errorf("%d of no keys are known", n)
	}
	remembers(t, second, pairs(0, 1), 20) // longer, and never less
	remembers(t, second, pairs(0, 1), 5)
	if n := knows(t, second, pairs(0, 1), 19); n != 1 {
		t.Error("a key is forgotten")
	}
}

func TestContactsAreForgotten(t *testing.T) {
	c := newContact(t, filepath.Join(t.TempDir(), "contact.db"))
	for n := range 10 {
		remembers(t, c, pairs(n, n+1), n)
	}
	for _, test := range []struct{ after, most, gone int }{{0, 100, 0}, {3, 100, 3}, {3, 5, 2}, {100, 5, 5}} {
		if gone, err := c.Expire(t.Context(), now.AddDate(0, 0, test.after), test.most); gone != test.gone || err != nil {
			t.Errorf("%+v: %d gone, %v", test, gone, err)
		}
	}
}

func TestContactsOfManyAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "contact.db")
	var wg sync.WaitGroup
	for range 2 { // processes
		c := newContact(t, path)
		for n := range 4 {
			wg.Go(func() {
				for i := range 10 {
					at := (n*10 + i) * 10
					all := map[contact.Key]time.Time{}
					for _, k := range pairs(at, at+10) {
						all[k] = now.AddDate(0, 0, 1)
					}
					if err := c.Remember(t.Context(), all); err != nil {
						t.Error(err)
					}
					if known, err := c.Known(t.Context(), pairs(at, at+10), now); len(known) != 10 || err != nil {
						t.Errorf("%d, %v", len(known), err)
					}
				}
			})
		}
	}
	wg.Wait()
}

func TestContactsThatCannotBe(t *testing.T) {
	c := newContact(t, filepath.Join("/dev/null", "contact.db"))
	if _, err := c.Known(t.Context(), pairs(0, 1), now); err == nil || !strings.Contains(err.Error(), "/dev/null/contact.db") {
		t.Errorf("%v", err)
	}
	if _, err := c.Began(t.Context()); err == nil {
		t.Error("began nowhere")
	}
	if err := c.Remember(t.Context(), map[contact.Key]time.Time{{}: now}); err == nil {
		t.Error("remembered nowhere")
	}
}
