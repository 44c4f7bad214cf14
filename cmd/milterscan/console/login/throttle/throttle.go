// Package throttle slows down those who guess passwords and codes, and no others: guesses of a name
// from one address never keep its owner out at another.
package throttle

import (
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/milterscan/milterscan/policy/pace"
)

// The limits. Each address may fail for a name some times, and so may an address for all names, and a
// network of IPv6. If many addresses fail for one name, each may try it fewer times, but none is
// refused for what others did.
var (
	pairs     = pace.Limit{Most: 5, Forget: 3 * time.Minute}
	pairsLess = pace.Limit{Most: 2, Forget: 10 * time.Minute}
	clients   = pace.Limit{Most: 20, Forget: time.Minute}
	networks  = pace.Limit{Most: 100, Forget: 12 * time.Second}
	attacked  = pace.Limit{Most: 30, Forget: 2 * time.Minute} // failures for a name, from all
)

// Throttle counts failures. It may be used by several goroutines at once.
type Throttle struct {
	now  func() time.Time
	seed pace.Seed

	mu                              sync.Mutex
	pairs, clients, networks, names pace.Counts
}

// New returns a throttle that has seen no failures.
func New() *Throttle {
	return &Throttle{now: time.Now, seed: pace.NewSeed(), pairs: pace.Counts{}, clients: pace.Counts{}, networks: pace.Counts{},
		names: pace.Counts{}}
}

// Try reports whether a person at an address may try a name. If so, it counts as a failure until
// good is called.
func (t *Throttle) Try(name string, client netip.Addr) (good func(), ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	n, near, far := t.key(name), prefix(client, 32, 64), prefix(client, 0, 48)
	pair := t.key(near.String() + " " + name)
	places := []place{{t.pairs, pair, pairs}}
	if t.names.At(n, attacked, now) >= attacked.Most {
		places[0].limit = pairsLess
	}
	if client.IsValid() {
		places = append(places, place{t.clients, t.key(near.String()), clients})
		if client.Is6() && !client.Is4In6() {
			places = append(places, place{t.networks, t.key(far.String()), networks})
		}
	}
	for _, p := range places {
		if p.counts.Full(p.key, p.limit, now) {
			return nil, false
		}
	}
	places = append(places, place{t.names, n, attacked})
	for _, p := range places {
		p.counts.Add(p.key, p.limit, now, 1)
	}
	return func() { t.forgive(places, pair) }, true
}

// forgive takes back what Try counted, and all failures of the pair.
func (t *Throttle) forgive(places []place, pair uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	for _, p := range places {
		p.counts.Add(p.key, p.limit, now, -1)
	}
	delete(t.pairs, pair)
}

// key returns a number for a text of any length.
func (t *Throttle) key(text string) uint64 {
	return t.seed.Key(strings.ToLower(text))
}

// prefix returns the network of an address that one person may have all of.
func prefix(a netip.Addr, bits4, bits6 int) netip.Prefix {
	a = a.Unmap()
	bits := bits6
	if a.Is4() {
		bits = bits4
	}
	p, _ := a.WithZone("").Prefix(bits) // the zero Prefix for no address
	return p
}

// place is one count that a failure goes to.
type place struct {
	counts pace.Counts
	key    uint64
	limit  pace.Limit
}
