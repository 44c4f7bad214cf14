package store

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan/sender/greylist"
	"github.com/milterscan/milterscan/scan/sender/sendertest"
)

func newGreylist(t *testing.T, path string) *Greylist {
	t.Helper()
	g := NewGreylist(path, func(err error) { t.Log(err) })
	t.Cleanup(func() { g.Close() })
	return g
}

func keyFor(n int) (k greylist.Key) {
	copy(k[:], fmt.Sprintf("%016d", n))
	return k
}

// clock is one that tests put forward.
type clock struct{ time.Time }

func (c *clock) suite() sendertest.Clock {
	return sendertest.Clock{Now: func() time.Time { return c.Time }, Later: func(d time.Duration) { c.Time = c.Add(d) }}
}

// TestGreylistContract has two processes on one file.
func TestGreylistContract(t *testing.T) {
	sendertest.Greylist(t, func(t *testing.T) sendertest.Greylists {
		path := filepath.Join(t.TempDir(), "greylist.db")
		return sendertest.Greylists{Clock: (&clock{now}).suite(), Hosts: []greylist.Store{newGreylist(t, path), newGreylist(t, path)}}
	})
}

// hold keeps a pass of each number, for as many minutes.
func hold(t *testing.T, g *Greylist, n int) {
	t.Helper()
	until, err := g.Pass(t.Context(), keyFor(n), now, time.Duration(n)*time.Minute)
	if err != nil || !until.Equal(now.Add(time.Duration(n)*time.Minute)) {
		t.Fatalf("%v, %v", until, err)
	}
}

// passing reports whether a pass holds some time after now.
func passing(t *testing.T, g *Greylist, n int, after time.Duration) bool {
	t.Helper()
	try := greylist.Try{Client: keyFor(-1), Pair: keyFor(-2), Pass: keyFor(n), Now: now.Add(after), Terms: greylist.Terms{Delay: time.Hour, Window: 2 * time.Hour, Keep: 0}}
	a, err := g.Try(t.Context(), try)
	if err != nil {
		t.Fatal(err)
	}
	return a.Standing == greylist.Known
}

func TestGreylistOutlivesItsProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "greylist.db")
	first := newGreylist(t, path)
	hold(t, first, 5)
	first.Close()
	second := newGreylist(t, path)
	if !passing(t, second, 5, time.Minute) || passing(t, second, 6, 2*time.Minute) {
		t.Error("what one process remembers another does not, or what none does")
	}
}

func TestGreylistForgets(t *testing.T) {
	g := newGreylist(t, filepath.Join(t.TempDir(), "greylist.db"))
	for n := range 10 {
		hold(t, g, n)
	}
	for _, test := range []struct{ after, most, gone int }{{0, 100, 0}, {3, 100, 3}, {3, 7, 0}, {3, 5, 2}, {100, 5, 5}} {
		if gone, err := g.Expire(t.Context(), now.Add(time.Duration(test.after)*time.Minute), test.most); gone != test.gone || err != nil {
			t.Errorf("%+v: %d gone, %v", test, gone, err)
		}
	}
}

func TestGreylistThatCannotBe(t *testing.T) {
	blocked := newGreylist(t, filepath.Join("/dev/null", "greylist.db"))
	if _, err := blocked.Try(t.Context(), greylist.Try{Now: now}); err == nil || !strings.Contains(err.Error(), "/dev/null/greylist.db") {
		t.Errorf("%v", err)
	}
	if _, err := blocked.Pass(t.Context(), keyFor(1), now, time.Hour); err == nil {
		t.Error("saved to nowhere")
	}
}

var _ greylist.Store = (*Greylist)(nil)
