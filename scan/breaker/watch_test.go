package breaker

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

// TestWatch tells each change once, and nothing after its end.
func TestWatch(t *testing.T) {
	away, full := errors.New("away"), errors.New("full")
	ctx, cancel := context.WithCancel(t.Context())
	looks := []error{away, away, full, nil, nil, away}
	tick := make(chan time.Time, len(looks))
	for range looks {
		tick <- time.Time{}
	}
	var told []error
	n := 0
	w := Watch{Tell: func(err error) { told = append(told, err) }, Matter: func(err error) string {
		if err == nil {
			return ""
		}
		return err.Error()
	}, Look: func(context.Context) error {
		if n == len(looks) {
			cancel()
			return full
		}
		n++
		return looks[n-1]
	}}
	w.Run(ctx, tick, away)
	if want := []error{full, nil, away}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}
