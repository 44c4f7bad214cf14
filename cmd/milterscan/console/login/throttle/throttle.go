// Package throttle slows down those who guess passwords and codes, and nobody else: guesses of a name
// from one address never keep its owner out at another.
package throttle

import (
	"hash/maphash"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// limit is how many failures count at a time, and how soon one is forgotten.
type limit struct {
	most   float64
	forget time.Duration
}

// The limits. Each address may fail for a name some times, and so may an address for all names, and a
// network of IPv6. If many addresses fail for one name, each may try it fewer times, but none is
// refused for what others did.
var (
	pairs     = limit{5, 3 * time.Minute}
	pairsLess = limit{2, 10 * time.Minute}
	clients   = limit{20, time.Minute}
	networks  = limit{100, 12 * time.Second}
	attacked  = limit{30, 2 * time.Minute} // failures for a name, from all
)

// mostKept bounds how many of each kind are remembered.
const mostKept = 10_000

// Throttle counts failures. It may be used by several goroutines at once.
type Throttle struct {
	now  func() time.Time
	seed maphash.Seed

	mu                              sync.Mutex
	pairs, clients, networks, names counts
}

// New returns a throttle that has seen no failures.
func New() *Throttle {
	return &Throttle{now: time.Now, seed: maphash.MakeSeed(), pairs: counts{}, clients: counts{}, networks: counts{}, names: counts{}}
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
	if t.names.at(n, attacked, now) >= attacked.most {
		places[0].limit = pairsLess
	}
	if client.IsValid() {
		places = append(places, place{t.clients, t.key(near.String()), clients})
		if client.Is6() && !client.Is4In6() {
			places = append(places, place{t.networks, t.key(far.String()), networks})
		}
	}
	for _, p := range places {
		if p.counts.at(p.key, p.limit, now)+1 > p.limit.most {
			return nil, false
		}
	}
	places = append(places, place{t.names, n, attacked})
	for _, p := range places {
		p.counts.add(p.key, p.limit, now, 1)
	}
	return func() { t.forgive(places, pair) }, true
}

// forgive takes back what Try counted, and all failures of the pair.
func (t *Throttle) forgive(places []place, pair uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	for _, p := range places {
		p.counts.add(p.key, p.limit, now, -1)
	}
	delete(t.pairs, pair)
}

// key is a number for a text of any length.
func (t *Throttle) key(text string) uint64 {
	return maphash.String(t.seed, strings.ToLower(text))
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
	counts counts
	key    uint64
	limit  limit
}

// count is a number of failures at a time.
type count struct {
	n  float64
	at time.Time
}

// counts are counts by key.
type counts map[uint64]count

// at returns a count as it is now, after some of it was forgotten.
func (c counts) at(key uint64, l limit, now time.Time) float64 {
	k, ok := c[key]
	if !ok {
		return 0
	}
	return max(0, k.n-float64(now.Sub(k.at))/float64(l.forget))
}

// add changes a count. It makes room first: those go that count least.
func (c counts) add(key uint64, l limit, now time.Time, n float64) {
	value := max(0, min(c.at(key, l, now)+n, 10*l.most))
	if value == 0 {
		delete(c, key)
		return
	}
	if _, ok := c[key]; !ok && len(c) >= mostKept {
		c.shrink(l, now)
	}
	c[key] = count{value, now}
}

// shrink forgets counts until there is room for as many again as are left.
func (c counts) shrink(l limit, now time.Time) {
	for least := 0.0; len(c) > mostKept/2; least++ {
		for key := range c {
			if c.at(key, l, now) <= least && len(c) > mostKept/2 {
				delete(c, key)
			}
		}
	}
}
