package store

import (
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan/sender/rate"
	"github.com/milterscan/milterscan/scan/sender/sendertest"
)

// tenAMinute gives one token every six seconds.
var tenAMinute = rate.Bucket{Size: time.Minute, Every: 6 * time.Second}

func newRate(t testing.TB, path string) *Rate {
	t.Helper()
	r := NewRate(path, func(err error) { t.Log(err) })
	t.Cleanup(func() { r.Close() })
	return r
}

// taken is how many of n tokens can be had some time after now.
func taken(t testing.TB, r *Rate, key, n int, after time.Duration) (got int) {
	t.Helper()
	for range n {
		ok, err := r.Take(t.Context(), rate.Key(keyFor(key)), tenAMinute, now.Add(after))
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			got++
		}
	}
	return got
}

func TestRate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rate.db")
	r := newRate(t, path)
	for i, step := range []struct {
		key, n int
		after  time.Duration
		want   int
	}{
		{1, 9, 0, 9}, {1, 5, 0, 1}, {2, 20, 0, 10}, {1, 5, 5 * time.Second, 0}, {1, 5, 6 * time.Second, 1},
		{1, 20, 31 * time.Second, 4}, {1, 20, 31 * time.Second, 0}, {1, 20, 10 * time.Minute, 10},
		{1, 20, 9 * time.Minute, 0}, {1, 20, 0, 0}, // the clock goes back: it was used in what is now the future
		{1, 20, time.Minute, 10}, // which does not have to be waited for
	} {
		if i == 5 { // the process ends, and another goes on
			r.Close()
			r = newRate(t, path)
		}
		if got := taken(t, r, step.key, step.n, step.after); got != step.want {
			t.Errorf("step %d: %d tokens, want %d", i+1, got, step.want)
		}
	}
}

// TestRateContract has two processes on one file.
func TestRateContract(t *testing.T) {
	sendertest.Rate(t, func(t *testing.T) sendertest.Rates {
		path := filepath.Join(t.TempDir(), "rate.db")
		return sendertest.Rates{Clock: (&clock{now}).suite(), Hosts: []rate.Store{newRate(t, path), newRate(t, path)}}
	})
}

func TestRateForgets(t *testing.T) {
	r := newRate(t, filepath.Join(t.TempDir(), "rate.db"))
	for key := range 6 {
		taken(t, r, key, key+1, 0)
	}
	if n, err := r.Expire(t.Context(), now.Add(7*time.Second), 100); n != 1 || err != nil {
		t.Errorf("%d full ones, %v", n, err)
	}
	if n, err := r.Expire(t.Context(), now.Add(7*time.Second), 2); n != 3 || err != nil {
		t.Errorf("%d too many, %v", n, err)
	}
	if got := taken(t, r, 5, 20, 0); got != 4 {
		t.Errorf("who has sent most is forgotten: %d", got)
	}
}

// However many ask at once, in several processes that all find no file yet, no
// token is given twice.
func TestRateForManyAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rate.db")
	var wg sync.WaitGroup
	var got atomic.Int64
	for range 6 {
		r := newRate(t, path)
		for range 3 {
			wg.Go(func() { got.Add(int64(taken(t, r, 1, 5, 0))) })
		}
	}
	wg.Wait()
	if got.Load() != 10 {
		t.Errorf("%d tokens of 10", got.Load())
	}
}

func TestRateThatCannotBe(t *testing.T) {
	if ok, err := newRate(t, "/dev/null/rate.db").Take(t.Context(), rate.Key{}, tenAMinute, now); ok || err == nil {
		t.Errorf("%v, %v", ok, err)
	}
}

func BenchmarkRate(b *testing.B) {
	r := newRate(b, filepath.Join(b.TempDir(), "rate.db"))
	for i := range b.N {
		if _, err := r.Take(b.Context(), rate.Key(keyFor(i%10_000)), tenAMinute, now); err != nil {
			b.Fatal(err)
		}
	}
}

var _ rate.Store = (*Rate)(nil)
