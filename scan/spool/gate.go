package spool

import (
	"context"
	"sync"
)

// Gate lets only a few messages at once do work that takes much memory in addition to
// their buffers: reading large contents in one piece, keeping the names of thousands
// of members. The others wait; since all of that is work for the processor, they lose
// nothing. A message enters once and waits for no other message inside.
type Gate struct{ places chan struct{} }

// NewGate returns a gate for so many messages at once.
func NewGate(places int) *Gate { return &Gate{make(chan struct{}, places)} }

// Enter waits for a place and returns a function that gives it back and may be called
// again. When ctx is done before that, there is no place to give back: the caller
// stops its work on the message.
func (g *Gate) Enter(ctx context.Context) (leave func()) {
	select {
	case g.places <- struct{}{}:
		return sync.OnceFunc(func() { <-g.places })
	case <-ctx.Done():
		return func() {}
	}
}
