// Package pace counts what many do, by key, and forgets it bit by bit, in little memory however
// much of it any of them does.
package pace

import (
	"hash/maphash"
	"time"
)

// Limit says how much counts as too much, and how soon one is forgotten.
type Limit struct {
	Most   float64
	Forget time.Duration
}

// Daily returns the limit of so many in a day.
func Daily(n int) Limit { return Limit{float64(n), 24 * time.Hour / time.Duration(max(1, n))} }

// MostKept bounds how many keys are remembered.
const MostKept = 10_000

// count is a number at a time.
type count struct {
	n  float64
	at time.Time
}

// Counts are numbers by key. They are not to be used by several goroutines at once.
type Counts map[uint64]count

// Seed makes keys of texts. It is another one in each process.
type Seed maphash.Seed

// NewSeed returns a seed.
func NewSeed() Seed { return Seed(maphash.MakeSeed()) }

// Key returns a number for a text of any length.
func (s Seed) Key(text string) uint64 { return maphash.String(maphash.Seed(s), text) }

// At returns a number as it is now, after some of it was forgotten.
func (c Counts) At(key uint64, l Limit, now time.Time) float64 {
	k, ok := c[key]
	if !ok {
		return 0
	}
	return max(0, k.n-float64(now.Sub(k.at))/float64(l.Forget))
}

// Full reports whether one more were too much.
func (c Counts) Full(key uint64, l Limit, now time.Time) bool { return c.At(key, l, now)+1 > l.Most }

// Add changes a number. It makes room first: those go that count least.
func (c Counts) Add(key uint64, l Limit, now time.Time, n float64) {
	value := max(0, min(c.At(key, l, now)+n, 10*l.Most))
	if value == 0 {
		delete(c, key)
		return
	}
	if _, ok := c[key]; !ok && len(c) >= MostKept {
		c.shrink(l, now)
	}
	c[key] = count{value, now}
}

// shrink forgets numbers until there is room for as many again as are left.
func (c Counts) shrink(l Limit, now time.Time) {
	for least := 0.0; len(c) > MostKept/2; least++ {
		for key := range c {
			if c.At(key, l, now) <= least && len(c) > MostKept/2 {
				delete(c, key)
			}
		}
	}
}
