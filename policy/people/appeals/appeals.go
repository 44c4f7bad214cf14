// Package appeals gives out the links by which senders ask for what was refused: in replies
// of SMTP, to few, and while there is room for the copies.
package appeals

import (
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/address"
	"github.com/milterscan/milterscan/policy/pace"
	"github.com/milterscan/milterscan/policy/token"
)

// Path begins the addresses of pages for senders.
const Path = "/a/"

// Settings say how many links there are, and where they lead.
type Settings struct {
	URL       string // of the pages, without a path
	Client    int    // links in a day for one network of clients
	Sender    int    // for one sender
	Recipient int    // for one recipient
	Size      int64  // bytes of copies that wait for their sender
}

// Desk gives out links. It may be used by several goroutines at once. One that was not told
// how many bytes wait gives none.
type Desk struct {
	key  func() ([]byte, error)
	warn func(error)
	now  func() time.Time
	seed pace.Seed

	mu                          sync.Mutex
	settings                    Settings
	counted                     bool
	waiting                     int64
	clients, senders, addresses pace.Counts
}

// New returns a desk. key is that of links; warn is told why it cannot be had.
func New(key func() ([]byte, error), warn func(error)) *Desk {
	return &Desk{key: key, warn: warn, now: time.Now, seed: pace.NewSeed(),
		clients: pace.Counts{}, senders: pace.Counts{}, addresses: pace.Counts{}}
}

// Use gives links as other settings say from now on.
func (d *Desk) Use(s Settings) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.settings = s
}

// Waiting tells the desk how many bytes of copies wait for their senders now.
func (d *Desk) Waiting(bytes int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waiting, d.counted = bytes, true
}

// Offer returns the link for a message that is kept for it, and how to take it back. There is
// none while there is no room for the copy, nor for those who were given, or were to be
// asked, too often: the answer is the same for addresses that do not exist.
func (d *Desk) Offer(a policy.Appeal) (link string, back func()) {
	key, err := d.key()
	if err != nil {
		d.warn(err)
		return "", nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.settings.URL == "" || !d.counted || d.waiting+a.Size > d.settings.Size {
		return "", nil
	}
	places, now := d.places(a), d.now()
	for _, p := range places {
		if p.counts.Full(p.key, p.limit, now) {
			return "", nil
		}
	}
	d.add(places, a.Size, 1)
	return strings.TrimRight(d.settings.URL, "/") + Path + token.WriteShort(key, token.AppealLink, a.ID), func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.add(places, -a.Size, -1)
	}
}

// add counts a link, or takes one back.
func (d *Desk) add(places []place, size int64, n float64) {
	now := d.now()
	for _, p := range places {
		p.counts.Add(p.key, p.limit, now, n)
	}
	d.waiting = max(0, d.waiting+size)
}

// place is a count that a link goes to.
type place struct {
	counts pace.Counts
	key    uint64
	limit  pace.Limit
}

// places returns all that a link counts for.
func (d *Desk) places(a policy.Appeal) []place {
	list := []place{
		{d.clients, d.seed.Key(Network(a.Client)), pace.Daily(d.settings.Client)},
		{d.senders, d.seed.Key(strings.ToLower(a.Sender)), pace.Daily(d.settings.Sender)},
	}
	for _, to := range a.Recipients {
		if folded, err := address.Fold(to); err == nil {
			to = folded
		}
		list = append(list, place{d.addresses, d.seed.Key(to), pace.Daily(d.settings.Recipient)})
	}
	return list
}

// Network returns the network of an address that one person may have all of, as text.
func Network(a netip.Addr) string {
	if !a.IsValid() {
		return "unknown"
	}
	a = a.Unmap().WithZone("")
	bits := 64
	if a.Is4() {
		bits = 32
	}
	p, _ := a.Prefix(bits) // of an address that is valid
	return p.String()
}
