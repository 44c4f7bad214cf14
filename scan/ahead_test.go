package scan

import (
	"context"
	"testing"
)

// forerunner begins with a message as often as it is asked to.
type forerunner struct {
	fake
	begun Begun
}

func (f forerunner) Ahead(context.Context, Received) Begun { return f.begun }

// counting counts how often it is dropped.
type counting int

func (c *counting) Drop() { *c++ }

// TestAhead: whatever was begun is taken once, or dropped once.
func TestAhead(t *testing.T) {
	var taken, dropped counting
	e := NewEngine(fake{"content", nil}, forerunner{fake{"virus/a", nil}, &taken}, forerunner{fake{"virus/b", nil}, nil}, forerunner{fake{"virus/c", nil}, &dropped})
	a := e.Ahead(t.Context(), Received{})
	for _, name := range []string{"content", "virus/b"} {
		if b := a.Take(name); b != nil {
			t.Errorf("%s has begun %v", name, b)
		}
	}
	if a.Take("virus/a") != &taken || a.Take("virus/a") != nil {
		t.Error("what was begun is not taken, or twice")
	}
	a.Drop()
	a.Drop()
	if taken != 0 || dropped != 1 || a.Take("virus/c") != nil {
		t.Errorf("dropped %d and %d times", taken, dropped)
	}
	none := NewEngine(fake{"content", nil}, forerunner{fake{"virus/b", nil}, nil}).Ahead(t.Context(), Received{})
	if none != nil || none.Take("content") != nil {
		t.Error("nothing is something")
	}
	none.Drop()
}
