package relay

import (
	"context"
	"net/netip"
	"sync"
)

// connections counts those that clients have open.
type connections struct {
	mu sync.Mutex
	by map[netip.Addr]int
}

// add counts a connection until ctx is done, and returns how many its client has
// open with it.
func (c *connections) add(ctx context.Context, client netip.Addr) int {
	client = client.Unmap()
	context.AfterFunc(ctx, func() { c.end(client) })
	c.mu.Lock()
	defer c.mu.Unlock()
	c.by[client]++
	return c.by[client]
}

func (c *connections) end(client netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by[client]--; c.by[client] <= 0 {
		delete(c.by, client)
	}
}
