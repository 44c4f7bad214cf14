//go:build linux

package worker

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/milterscan/milterscan/scan/format/archive"
)

// spent is a budget of which so much is spent.
func spent(d time.Duration) *archive.Budget {
	b := archive.NewBudget(testLimits)
	b.Spend(d)
	return b
}

// Of those that wait, the one goes first that costs the least.
func TestCheapestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1)
		first := spent(0)
		if err := q.enter(t.Context(), first, 0); err != nil {
			t.Fatal(err)
		}
		var order []string
		var all sync.WaitGroup
		for _, w := range []struct {
			name  string
			spent time.Duration
			size  int64
		}{{"much spent", time.Second, 100}, {"large", 0, 20 << 20}, {"small", 0, 1000}, {"some spent", 10 * time.Millisecond, 1000}} {
			all.Go(func() {
				b := spent(w.spent)
				if err := q.enter(t.Context(), b, w.size); err != nil {
					t.Error(err)
				}
				order = append(order, w.name)
				q.leave(b)
			})
			synctest.Wait()
		}
		q.leave(first)
		all.Wait()
		if got := fmt.Sprint(order); got != "[small some spent much spent large]" {
			t.Error(got)
		}
	})
}

// However many messages come at once, each with archives in archives, none waits for
// another for ever.
func TestNestedWalksEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(16)
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				b := spent(0)
				for range deepest {
					if err := q.enter(t.Context(), b, 0); err != nil {
						t.Error(err)
					}
					time.Sleep(time.Second)
				}
				for range deepest {
					q.leave(b)
				}
			})
		}
		all.Wait()
		if q.busy != 0 || len(q.within) != 0 || len(q.waiting) != 0 {
			t.Errorf("%d busy, %d within, %d waiting", q.busy, len(q.within), len(q.waiting))
		}
	})
}

// Who has waited long enough goes, and leaves nothing.
func TestWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1)
		q.enter(t.Context(), spent(0), 0)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := q.enter(ctx, spent(0), 0); err == nil || len(q.waiting) != 0 || q.busy != 1 {
			t.Errorf("%v, %d waiting, %d busy", err, len(q.waiting), q.busy)
		}
	})
}

// The containers of a message share its CPU time, whichever children read them.
func TestCPUTimeIsTheMessages(t *testing.T) {
	cfg := testConfig(t, "works")
	cfg.Work = 300 * time.Millisecond
	pool := newTestPool(t, cfg)
	data := sampleFile(t, "eicar.com.xz")
	f, b := pool.Format(formatOf(t, data)), archive.NewBudget(testLimits)
	read := 0
	for ; read < 20; read++ {
		got := walkWith(t.Context(), f, data, b)
		if got.codes() == archive.DecoderLimit {
			break
		}
		if got.codes() != "" || got.err != nil {
			t.Fatal(got)
		}
	}
	if read < 1 || read > 4 || b.Spent() < cfg.Work {
		t.Errorf("%d were read, %v spent", read, b.Spent())
	}
	if got := walkWith(t.Context(), f, data, b); got.codes() != archive.DecoderLimit {
		t.Errorf("when nothing is left: %v", got)
	}
	if got := walkAll(t.Context(), f, data); got.codes() != "" {
		t.Errorf("another message: %v", got)
	}
}

// Work is counted: the same containers come to the same each time, and as many of them
// are read, however long the children took.
func TestWorkIsTheSameEachTime(t *testing.T) {
	for _, name := range []string{"lzma2.7z", "eicar.com.xz", "eicar.com.zst", "bzip2.7z"} {
		cfg := testConfig(t, "proper")
		cfg.Work = 20 * time.Millisecond
		pool := newTestPool(t, cfg)
		data := sampleFile(t, name)
		f := pool.Format(formatOf(t, data))
		var spent [3]time.Duration
		var read [3]int
		for i := range spent {
			b := archive.NewBudget(testLimits)
			for ; read[i] < 100; read[i]++ {
				if got := walkWith(t.Context(), f, data, b); got.codes() != "" {
					if got.codes() != archive.DecoderLimit {
						t.Fatal(name, got)
					}
					break
				}
			}
			spent[i] = b.Spent()
		}
		if spent[0] != spent[1] || spent[1] != spent[2] || read[0] != read[1] || read[0] == 0 || read[0] > 8 {
			t.Errorf("%s: work of %v, %v are read", name, spent, read)
		}
	}
}

// A container that takes more work than there is is read up to there, and no further.
func TestWorkEndsAContainer(t *testing.T) {
	cfg := testConfig(t, "proper")
	cfg.Work = handover + time.Microsecond
	pool := newTestPool(t, cfg)
	for _, name := range []string{"lzma2.7z", "eicar.com.xz", "eicar.com.zst"} {
		data := sampleFile(t, name)
		for range 2 {
			if got := walkAll(t.Context(), pool.Format(formatOf(t, data)), data); got.codes() != archive.DecoderLimit || got.err != nil {
				t.Errorf("%s: %v", name, got)
			}
		}
	}
}

// What hosts take longer for than the work says does not make a difference, unless it
// is more than they may take.
func TestSlowHosts(t *testing.T) {
	cfg := testConfig(t, "proper")
	pool := newTestPool(t, cfg)
	data := sampleFile(t, "eicar.com.xz")
	f := pool.Format(formatOf(t, data))
	for _, left := range []time.Duration{time.Nanosecond, 50 * time.Microsecond, time.Millisecond / 2} {
		b := archive.NewBudget(testLimits)
		b.Take(cfg.CPU - left)
		if got := walkWith(t.Context(), f, data, b); got.codes() != "" && got.codes() != archive.Unavailable {
			t.Errorf("%v before the end: %v", left, got)
		}
		b.Take(left)
		if got := walkWith(t.Context(), f, data, b); got.codes() != archive.Unavailable {
			t.Errorf("at the end: %v", got)
		}
	}
}

// Containers that take a child no time are counted all the same.
func TestSmallContainersAreCounted(t *testing.T) {
	pool := newTestPool(t, testConfig(t, "proper"))
	b := archive.NewBudget(testLimits)
	child, err := pool.take(t.Context(), b, 0)
	if err != nil {
		t.Fatal(err)
	}
	w := &walk{ctx: t.Context(), pool: pool, c: bytes.NewReader(nil), budget: b, cfg: &pool.cfg}
	for n := range 3 {
		w.give(child)
		w.release()
		if want := time.Duration(n+1) * handover; b.Spent() != want {
			t.Errorf("%v is spent on %d containers before they were read, want %v", b.Spent(), n+1, want)
		}
	}
	child.stop(nil)
	pool.put(child, b, false)
}
