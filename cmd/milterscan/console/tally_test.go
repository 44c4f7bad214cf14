package console

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/milterscan/milterscan/policy/keep/history"
)

// TestTally counts once for many pages, goes on when a page has given up, and shows what
// it has while it counts again.
func TestTally(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		times, takes, failure := 0, 5*time.Second, error(nil)
		x := &tally{now: time.Now, by: map[int]*counting{}, count: func(context.Context, int) (lately, error) {
			times++
			time.Sleep(takes)
			return lately{counts: make([]history.Count, times)}, failure
		}}
		of := func() (int, error) {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			l, err := x.of(ctx, 30)
			return len(l.counts), err
		}
		if n, err := of(); n != 0 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the first page: %d %v", n, err)
		}
		if n, err := of(); n != 1 || err != nil || times != 1 {
			t.Errorf("the second page: %d %v, counted %d times", n, err, times)
		}
		time.Sleep(countedFor + time.Second)
		if n, err := of(); n != 1 || err != nil {
			t.Errorf("while it counts again: %d %v", n, err)
		}
		time.Sleep(takes)
		if n, err := of(); n != 2 || err != nil || times != 2 {
			t.Errorf("then: %d %v, counted %d times", n, err, times)
		}
		takes, failure = time.Second, errors.New("no")
		time.Sleep(countedFor + time.Second)
		if n, err := of(); n != 0 || !errors.Is(err, failure) {
			t.Errorf("an error: %d %v", n, err)
		}
		if l, at := x.snapshot(30); len(l.counts) != 2 || at.IsZero() {
			t.Errorf("what was counted last is lost: %d, %v", len(l.counts), at)
		}
		if _, at := x.snapshot(7); !at.IsZero() {
			t.Error("there is a count of days that were never counted")
		}
		failure = nil
		if n, err := of(); n != 4 || err != nil {
			t.Errorf("after the error: %d %v", n, err)
		}
	})
}
