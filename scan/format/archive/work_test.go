package archive

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestWorkOfProcessesCounts has processes do work for a message: what is beyond the limit here is
// taken off it, and ends what is done here once nothing is left.
func TestWorkOfProcessesCounts(t *testing.T) {
	const limit = time.Second
	for _, c := range []struct {
		done, spent, rest time.Duration
		over              bool
	}{
		{0, 0, limit, false},
		{300 * time.Millisecond, limit, 700 * time.Millisecond, false},
		{300 * time.Millisecond, 1200 * time.Millisecond, limit / 2, false},
		{300 * time.Millisecond, 1704 * time.Millisecond, limit/2 - 176*time.Millisecond, true},
		{0, 1400 * time.Millisecond, 600 * time.Millisecond, false},
		{0, 2 * time.Second, limit / 4, false},
		{0, 2*time.Second + 1, limit / 4, true},
		{0, time.Hour, limit / 4, true},
		{limit + 1, 0, limit / 2, true},
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
