package bucket

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestSlowReader: who reads an object takes its time, before it begins and between two reads; the server does not.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, p := patiently(t.Context(), callTime, nil)
		o := New(Options{}).reading(p, io.NopCloser(io.MultiReader(strings.NewReader("ab"), silent{ctx})))
		defer o.Close()
		for _, want := range []string{"a", "b"} {
			time.Sleep(10 * callTime)
			got := make([]byte, 1)
			if _, err := o.Read(got); err != nil || string(got) != want || ctx.Err() != nil {
				t.Errorf("%q, %v, %v; want %q", got, err, ctx.Err(), want)
			}
		}
		time.Sleep(10 * callTime)
		begun := time.Now()
		if _, err := o.Read(make([]byte, 1)); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != callTime {
			t.Errorf("a server that gives nothing: %v after %v", err, time.Since(begun))
		}
	})
}

// silent gives nothing until a context is done.
type silent struct{ ctx context.Context }

// Read waits for that.
func (s silent) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}
