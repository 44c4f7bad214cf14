package spool

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestGateLetsFewIn(t *testing.T) {
	g := NewGate(3)
	var inside, most atomic.Int64
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			leave := g.Enter(t.Context())
			for n := inside.Add(1); ; {
				if m := most.Load(); n <= m || most.CompareAndSwap(m, n) {
					break
				}
			}
			time.Sleep(time.Millisecond)
			inside.Add(-1)
			leave()
			leave()
		})
	}
	all.Wait()
	if n := most.Load(); n > 3 || len(g.places) != 0 {
		t.Errorf("%d were inside at once, %d places are taken afterwards", n, len(g.places))
	}
}

func TestGateDoesNotHoldWhoIsLate(t *testing.T) {
	g := NewGate(1)
	leave := g.Enter(t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	g.Enter(ctx)()
	if len(g.places) != 1 {
		t.Error("one who did not get in gave a place back")
	}
	leave()
}
