package dns

import (
	"context"
	"net/netip"
)

// Addrs returns the addresses of a name: of the same family as like, so that they
// can be compared with it.
func Addrs(ctx context.Context, r Resolver, name string, like netip.Addr) ([]netip.Addr, error) {
	t := AAAA
	if like.Unmap().Is4() {
		t = A
	}
	records, err := r.Lookup(ctx, name, t)
	addrs := make([]netip.Addr, len(records))
	for i, rr := range records {
		addrs[i] = rr.Addr
	}
	return addrs, err
}

// Names returns the names an address claims by its PTR records.
func Names(ctx context.Context, r Resolver, a netip.Addr) ([]string, error) {
	records, err := r.Lookup(ctx, ReverseName(a), PTR)
	names := make([]string, len(records))
	for i, rr := range records {
		names[i] = rr.Host
	}
	return names, err
}

// Texts returns the texts of a name.
func Texts(ctx context.Context, r Resolver, name string) ([]string, error) {
	records, err := r.Lookup(ctx, name, TXT)
	texts := make([]string, len(records))
	for i, rr := range records {
		texts[i] = rr.Text
	}
	return texts, err
}
