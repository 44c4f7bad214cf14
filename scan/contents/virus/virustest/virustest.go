// Package virustest holds what remembers for several hosts what was clean to what it promises.
package virustest

import (
	"slices"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/contents/virus"
)

// Hosts are some that remember together, each with its own.
type Hosts struct {
	One, Other virus.Clean
	Stranger   virus.Clean         // has another key
	Later      func(time.Duration) // lets time go by where all of it is
	Forge      func()              // has all that is there say something else
}

// patience is how long what nobody waits for may take on a busy machine.
const patience = time.Minute

// Clean tests what open returns, which is empty.
func Clean(t *testing.T, open func(t *testing.T) Hosts) {
	t.Run("remembers", func(t *testing.T) { remembers(t, open(t)) })
	t.Run("forgets", func(t *testing.T) {
		h := open(t)
		h.One.Keep([]scan.Sum{{1}})
		await(t, h.Other, scan.Sum{1})
		h.Later(time.Minute + time.Second)
		none(t, "after a minute", h.Other, scan.Sum{1})
	})
	t.Run("trusts no stranger", func(t *testing.T) {
		h := open(t)
		h.Stranger.Keep([]scan.Sum{{1}})
		await(t, h.Stranger, scan.Sum{1})
		none(t, "of another key", h.One, scan.Sum{1})
		h.One.Keep([]scan.Sum{{2}})
		await(t, h.Other, scan.Sum{2})
		h.Forge()
		none(t, "forged", h.Other, scan.Sum{2})
	})
}

// remembers what was kept, and nothing else, in the order of the question.
func remembers(t *testing.T, h Hosts) {
	none(t, "at first", h.One, scan.Sum{1}, scan.Sum{2})
	if got := h.One.Recall(t.Context(), nil); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
	alike := scan.Sum{1}
	alike[31] = 1 // begins as another
	var many []scan.Sum
	for n := range 200 {
		many = append(many, scan.Sum{2, byte(n)})
	}
	h.One.Keep(append([]scan.Sum{{1}}, many...))
	got := await(t, h.Other, scan.Sum{3}, scan.Sum{1}, alike, scan.Sum{4})
	if len(got) != 4 || got[0] || !got[1] || got[2] || got[3] {
		t.Errorf("%v", got)
	}
	await(t, h.Other, many[0])
	if got := h.Other.Recall(t.Context(), many); len(got) != len(many) {
		t.Errorf("of %d: %d", len(many), len(got))
	}
}

// await waits until one of some keys is known, and returns which are. An answer that comes too late is none.
func await(t *testing.T, c virus.Clean, keys ...scan.Sum) []bool {
	t.Helper()
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(time.Millisecond) {
		if got := c.Recall(t.Context(), keys); slices.Contains(got, true) {
			return got
		}
	}
	t.Fatalf("none of %x is known", keys)
	return nil
}

// none wants that none of some keys is known.
func none(t *testing.T, when string, c virus.Clean, keys ...scan.Sum) {
	t.Helper()
	for i, known := range c.Recall(t.Context(), keys) {
		if known {
			t.Errorf("%s: %x is known", when, keys[i])
		}
	}
}
