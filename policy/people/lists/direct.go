package lists

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/people"
)

// Direct asks a store for each entry: for programs that judge one mail, which need not know
// a million entries for that.
type Direct struct {
	store *people.Store
	warn  func(error)
}

// NewDirect returns the entries of a store, which it closes with itself. warn is told when one cannot be read.
func NewDirect(store *people.Store, warn func(error)) *Direct { return &Direct{store, warn} }

// Close closes the store.
func (d *Direct) Close() error { return d.store.Close() }

// Lists returns the entries; nil if there are none. The error says that they are not known.
func (d *Direct) Lists(by Terms) (policy.Lists, error) {
	if errors.Is(d.store.There(), fs.ErrNotExist) {
		return nil, nil
	}
	mark, err := d.store.Mark(context.Background())
	if err != nil || mark == (people.Mark{}) {
		return nil, err
	}
	return by.view(d), nil
}

// allLengths are those of any network.
var allLengths = func() (l policy.Lengths) {
	for bits := range 129 {
		l.Add(netip.PrefixFrom(netip.IPv6Unspecified(), bits))
		if bits <= 32 {
			l.Add(netip.PrefixFrom(netip.IPv4Unspecified(), bits))
		}
	}
	return l
}()

// Owned implements policy.Lists: an owner who has any entry may have all kinds.
func (d *Direct) Owned(owner string) policy.Owned {
	list, err := d.store.Entries(context.Background(), people.Filter{Owners: []string{owner}, Limit: 1})
	if d.failed(err) || len(list) == 0 {
		return policy.Owned{}
	}
	return policy.Owned{Senders: true, AllowsProved: true, BlocksProved: true, Lengths: allLengths}
}

// Entry implements policy.Lists.
func (d *Direct) Entry(owner, pattern string, proved bool) (policy.ListEntry, bool) {
	e, err := d.store.Find(context.Background(), owner, pattern, proved)
	if errors.Is(err, people.ErrUnknown) || d.failed(err) {
		return policy.ListEntry{}, false
	}
	return policy.ListEntry{ID: e.ID, Owner: owner, Pattern: pattern, Block: e.Act == people.Block,
		Authenticated: proved, Expires: e.Expires}, true
}

// Limit returns the limit of a person, by its main address.
func (d *Direct) Limit(address string) (float64, bool) {
	l, err := d.store.LimitOf(context.Background(), address)
	if err != nil {
		d.warn(fmt.Errorf("the limit of a recipient cannot be read, and does not count: %w", err))
	}
	return l.Score, l.Set
}

// failed warns of an error.
func (d *Direct) failed(err error) bool {
	if err != nil {
		d.warn(fmt.Errorf("an entry of the lists of senders cannot be read, and does not count: %w", err))
	}
	return err != nil
}
