package peopletest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// useOnce: of many that use a link at once, in two processes, one is the first.
func useOnce(t *testing.T, p pair) {
	stores := p.both()
	expires := time.Now().Add(time.Hour)
	var firsts atomic.Int32
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			first, err := stores[i%2].UseOnce(t.Context(), "a\x00\xff", expires)
			if err != nil {
				t.Error(err)
			}
			if first {
				firsts.Add(1)
			}
		})
	}
	all.Wait()
	if firsts.Load() != 1 {
		t.Errorf("%d were the first", firsts.Load())
	}
	if first, err := stores[0].UseOnce(t.Context(), "a\x00", expires); !first || err != nil {
		t.Errorf("another link: %t, %v", first, err)
	}
	if at, err := stores[1].Used(t.Context(), "a\x00\xff"); at.IsZero() || err != nil {
		t.Errorf("%v, %v", at, err)
	}
	if err := stores[1].Unuse(t.Context(), "a\x00\xff"); err != nil {
		t.Fatal(err)
	}
	if at, err := stores[0].Used(t.Context(), "a\x00\xff"); !at.IsZero() || err != nil {
		t.Errorf("%v, %v", at, err)
	}
	if first, err := stores[0].UseOnce(t.Context(), "a\x00\xff", expires); !first || err != nil {
		t.Errorf("good again: %t, %v", first, err)
	}
}

// usedLinksAreForgotten: a link is remembered until it is good nowhere any more.
func usedLinksAreForgotten(t *testing.T, p pair) {
	s := p.here
	for nonce, expires := range map[string]time.Time{"long ago": time.Now().Add(-24*time.Hour - time.Hour),
		"just now": time.Now().Add(-time.Minute)} {
		if first, err := s.UseOnce(t.Context(), nonce, expires); !first || err != nil {
			t.Fatalf("%s: %t, %v", nonce, first, err)
		}
	}
	if first, err := s.UseOnce(t.Context(), "other", time.Now().Add(time.Hour)); !first || err != nil {
		t.Fatalf("%t, %v", first, err)
	}
	for nonce, want := range map[string]bool{"long ago": true, "just now": false} {
		if first, err := s.UseOnce(t.Context(), nonce, time.Now()); first != want || err != nil {
			t.Errorf("%s: first %t, %v", nonce, first, err)
		}
	}
}
