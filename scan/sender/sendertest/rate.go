package sendertest

import (
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan/sender/rate"
)

// Rates are one set of unused buckets, as each host has it.
type Rates struct {
	Clock
	Hosts []rate.Store
}

// bucket holds ten tokens.
var bucket = rate.Bucket{Size: 10 * time.Hour, Every: time.Hour}

// take takes a token at a host.
func (r Rates) take(t *testing.T, host int, k byte) (bool, error) {
	t.Helper()
	return r.Hosts[host%len(r.Hosts)].Take(t.Context(), rate.Key{k}, bucket, r.Now())
}

// Rate tests a store of each that open returns.
func Rate(t *testing.T, open func(t *testing.T) Rates) {
	t.Run("tokens", func(t *testing.T) { tokens(t, open(t)) })
	t.Run("many at once", func(t *testing.T) {
		r := open(t)
		for round, want := range []int{10, 1} {
			got := race(t, func(i int) (bool, error) { return r.take(t, i, 'r') })
			if got[true] != want {
				t.Errorf("round %d: %d tokens, want %d", round, got[true], want)
			}
			r.Later(time.Hour + time.Minute)
		}
	})
}

// tokens come and go; the clock goes back in the end.
func tokens(t *testing.T, r Rates) {
	for i, step := range []struct {
		later time.Duration
		key   byte
		tries int
		want  int
	}{
		{0, 1, 9, 9}, {0, 1, 5, 1}, {0, 2, 20, 10}, {50 * time.Minute, 1, 5, 0}, {11 * time.Minute, 1, 5, 1}, {4 * time.Hour, 1, 20, 4},
		{100 * time.Hour, 1, 20, 10}, {-50 * time.Hour, 1, 5, 0}, {10*time.Hour + time.Minute, 1, 20, 10},
	} {
		r.Later(step.later)
		got := 0
		for n := range step.tries {
			ok, err := r.take(t, n, step.key)
			if err != nil {
				t.Fatal(err)
			}
			if ok {
				got++
			}
		}
		if got != step.want {
			t.Errorf("step %d: %d tokens, want %d", i+1, got, step.want)
		}
	}
}
