package breaker

import (
	"testing"
	"time"
)

var now = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func TestBreaker(t *testing.T) {
	var b Breaker
	at := now
	for i, step := range []struct {
		after  time.Duration
		may    bool
		failed bool
	}{
		{0, true, false}, {0, true, true}, {0, false, false}, {Rest - 1, false, false}, {1, true, true}, {Rest - 1, false, false}, {1, true, false}, {0, true, false},
	} {
		at = at.Add(step.after)
		may := b.MayTry(at)
		if may != step.may {
			t.Fatalf("step %d: %t", i, may)
		}
		if may {
			b.Note(at, step.failed)
		}
	}
	b.Note(at, true)
	at = at.Add(Rest)
	if !b.MayTry(at) || b.MayTry(at) {
		t.Error("not one tries for all")
	}
}

// TestPatience: as many calls as that may fail in a row; one that does not makes the
// count begin again; and after a rest one failure is enough.
func TestPatience(t *testing.T) {
	b := Breaker{Patience: 2}
	for i, failed := range []bool{true, true, false, true, true} {
		if !b.MayTry(now) {
			t.Fatalf("call %d may not try", i)
		}
		b.Note(now, failed)
	}
	b.Note(now, true)
	if b.MayTry(now) {
		t.Error("a third failure in a row does not count")
	}
	later := now.Add(Rest)
	if !b.MayTry(later) {
		t.Error("there is no end to the rest")
	}
	b.Note(later, true)
	if b.MayTry(later) {
		t.Error("what still fails is asked by all")
	}
}
