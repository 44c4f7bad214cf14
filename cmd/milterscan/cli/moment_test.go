package cli

import (
	"testing"
)

func TestMoments(t *testing.T) {
	for _, good := range []string{"7d", "12h", "2026-01-02", "2026-01-02T15:04:05Z"} {
		var m Moment
		if err := m.Set(good); err != nil || m.IsZero() {
			t.Errorf("%s: %v", good, err)
		}
	}
}
