package store

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan/sender/greylist"
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

func entry(n int) greylist.Entry {
	return greylist.Entry{First: now, Until: now.Add(time.Duration(n) * time.Minute), Passed: n}
}

func same(a, b greylist.Entry) bool {
	return a.First.Equal(b.First) && a.Until.Equal(b.Until) && a.Passed == b.Passed
}

func TestGreylistOutlivesItsProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "greylist.db")
	first := newGreylist(t, path)
	for n := range 3 {
		if err := first.Save(t.Context(), keyFor(n%2), entry(n)); err != nil {
			t.Fatal(err)
		}
	}
	first.Close()
	second := newGreylist(t, path)
	for key, want := range map[int]greylist.Entry{0: entry(2), 1: entry(1), 2: {}} {
		if got, err := second.Load(t.Context(), keyFor(key)); !same(got, want) || err != nil {
			t.Errorf("key %d: %+v, %v; want %+v", key, got, err, want)
		}
	}
}

func TestGreylistForgets(t *testing.T) {
	g := newGreylist(t, filepath.Join(t.TempDir(), "greylist.db"))
	for n := range 10 {
		if err := g.Save(t.Context(), keyFor(n), entry(n)); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ after, most, want, gone int }{{0, 100, 10, 0}, {3, 100, 7, 3}, {3, 7, 7, 0}, {3, 5, 5, 2}, {100, 5, 0, 5}} {
		gone, err := g.Expire(t.Context(), now.Add(time.Duration(test.after)*time.Minute), test.most)
		left := 0
		for n := range 10 {
			if e, _ := g.Load(t.Context(), keyFor(n)); !e.First.IsZero() {
				left++
			}
		}
		if gone != test.gone || left != test.want || err != nil {
			t.Errorf("%+v: %d gone, %d left, %v", test, gone, left, err)
		}
	}
}

func TestGreylistForManyAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "greylist.db")
	var wg sync.WaitGroup
	for range 2 { // processes
		g := newGreylist(t, path)
		for n := range 8 {
			wg.Go(func() {
				for i := range 20 {
					if err := g.Save(t.Context(), keyFor(n*100+i), entry(n)); err != nil {
						t.Error(err)
					}
					if e, err := g.Load(t.Context(), keyFor(n*100+i)); !same(e, entry(n)) || err != nil {
						t.Errorf("%+v, %v", e, err)
					}
				}
			})
		}
	}
	wg.Wait()
}

func TestGreylistThatCannotBe(t *testing.T) {
	blocked := newGreylist(t, filepath.Join("/dev/null", "greylist.db"))
	if _, err := blocked.Load(t.Context(), keyFor(1)); err == nil || !strings.Contains(err.Error(), "/dev/null/greylist.db") {
		t.Errorf("%v", err)
	}
	if err := blocked.Save(t.Context(), keyFor(1), entry(1)); err == nil {
		t.Error("saved to nowhere")
	}
}

var _ greylist.Store = (*Greylist)(nil)
