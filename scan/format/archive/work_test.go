package archive

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestWorkOfProcessesCounts has processes do work for a message: work beyond their share is
// taken off the limit here, and ends the work here once nothing is left. What was spent on opening is not there
// again for what comes after.
func TestWorkOfProcessesCounts(t *testing.T) {
	const limit, share = time.Second, time.Second / shareApart
	for _, c := range []struct {
		done, spent, rest time.Duration
		over              bool
	}{
		{0, 0, limit, false},
		{0, share, limit, false},
		{limit / 2, share, limit / 2, false},
		{300 * time.Millisecond, share, 700 * time.Millisecond, false},
		{300 * time.Millisecond, share + limit/10, 600 * time.Millisecond, false},
		{300 * time.Millisecond, share + limit/2, 350 * time.Millisecond, false},
		{700 * time.Millisecond, 0, 400 * time.Millisecond, false},
		{limit, share, limit / 4, false},
		{0, limit + share, limit / 4, false},
		{0, limit + share + 1, limit / 4, true},
		{limit / 2, limit/2 + share + 1, limit / 4, true},
		{0, time.Hour, limit / 4, true},
		{limit + 1, 0, limit / 4, true},
	} {
		b := NewBudget(Limits{})
		ctx, stop := b.Within(t.Context(), limit)
		b.Work(int64(c.done), 1000)
		b.Spend(c.spent)
		if b.Overworked() != c.over || (ctx.Err() != nil) != c.over || c.over && !errors.Is(context.Cause(ctx), ErrWork) || b.Rest() != c.rest {
			t.Errorf("%+v: over %v, %v, %v left", c, b.Overworked(), context.Cause(ctx), b.Rest())
		}
		if most := b.affords(1<<40, 1000); most > 0 && c.over || most > int64(limit) {
			t.Errorf("%+v: affords %d", c, most)
		}
		stop()
	}
	b := NewBudget(Limits{})
	b.Spend(time.Hour)
	if b.Overworked() {
		t.Error("without a limit there is too much work")
	}
}
