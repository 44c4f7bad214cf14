package spool

import (
	"context"
	"sync"
)

// Gate lets a few messages at once do what takes much memory beside their buffers:
// reading large contents in one piece, keeping what thousands of members are
// called. The others wait; since all of that is work for the processor, they lose
// nothing. A message enters once and waits for no other message inside.
type Gate struct{ places chan struct{} }

// NewGate returns a gate for so many messages at once.
func NewGate(places int) *Gate { return &Gate{make(chan struct{}, places)} }

// Enter waits for a place and returns what gives it back, which may be called
// again. When ctx is done before that, there is none to give back: the message is
// not worked at any more.
func (g *Gate) Enter(ctx context.Context) (leave func()) {
	select {
	case g.places <- struct{}{}:
		return sync.OnceFunc(func() { <-g.places })
	case <-ctx.Done():
		return func() {}
	}
}
