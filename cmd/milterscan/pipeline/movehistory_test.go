package pipeline

import (
	"testing"
	"time"
)

// TestOldestMoved: records are moved that the database shows and that are not too old; where they are kept for ever, none is too old.
func TestOldestMoved(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	for _, test := range []struct {
		shown, want time.Time
		keep        time.Duration
	}{
		{time.UnixMilli(-1 << 63), now.Add(-30 * day), 30 * day}, {now.Add(-7 * day), now.Add(-7 * day), 30 * day},
		{time.UnixMilli(-1 << 63), time.UnixMilli(-1 << 63), 0}, {now.Add(-7 * day), now.Add(-7 * day), 0},
	} {
		if got := oldestMoved(test.shown, now, test.keep); !got.Equal(test.want) {
			t.Errorf("shown since %v, kept for %v: %v", test.shown, test.keep, got)
		}
	}
}
