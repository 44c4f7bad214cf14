package survey

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"strings"
	"sync"

	"github.com/milterscan/milterscan/scan/sender/dns"
)

// Resolver is one of the host's resolvers.
type Resolver struct {
	Server dns.Server
	Hears  Hearing
	Err    error // why it does not answer
}

// Hearing is what a resolver hears from a DNS list.
type Hearing int

// The kinds of hearing. The test entry is 127.0.0.2 (RFC 5782, section 5); with an answer in
// 127.255.255.0/24 Spamhaus and others refuse to answer a resolver.
const (
	Silent  Hearing = iota // the resolver does not answer
	Lost                   // it answers, and does not even know a root server
	Deaf                   // it knows nothing of the list's test entry
	Refused                // the list refuses to answer it
	Heard                  // it has the test entry
)

// maxResolvers is how many resolvers resolv.conf may name (resolv.conf(5)).
const maxResolvers = 3

// resolvers asks each resolver of resolv.conf for the test entry of a DNS list.
func (p Places) resolvers(ctx context.Context, client func(dns.Server) dns.Resolver) []Resolver {
	text, err := os.ReadFile(p.Names)
	if err != nil {
		return nil
	}
	servers := nameservers(string(text))
	all := make([]Resolver, len(servers))
	var wg sync.WaitGroup
	for i, s := range servers {
		wg.Go(func() { all[i] = hear(ctx, s, client(s), p.List) })
	}
	wg.Wait()
	return all
}

// nameservers reads the "nameserver" lines of resolv.conf.
func nameservers(text string) (all []dns.Server) {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != "nameserver" || len(all) == maxResolvers {
			continue
		}
		var s dns.Server
		if err := s.UnmarshalText([]byte(f[1])); err == nil {
			all = append(all, s)
		}
	}
	return all
}

// hear asks a resolver for the test entry of a list.
func hear(ctx context.Context, s dns.Server, r dns.Resolver, zone string) Resolver {
	entry := dns.Reversed(netip.AddrFrom4([4]byte{127, 0, 0, 2})) + "." + zone
	found, err := dns.Addrs(ctx, r, entry, netip.IPv4Unspecified())
	refusal := netip.MustParsePrefix("127.255.255.0/24")
	switch {
	case errors.Is(err, dns.ErrUnreachable):
		return Resolver{Server: s, Err: err}
	case errors.Is(err, dns.ErrTimeout) && knows(ctx, r) != Deaf:
		return Resolver{Server: s, Err: err}
	case err != nil:
		return Resolver{Server: s, Hears: knows(ctx, r), Err: err}
	}
	for _, a := range found {
		if refusal.Contains(a.Unmap()) {
			return Resolver{Server: s, Hears: Refused}
		}
	}
	if len(found) == 0 {
		return Resolver{Server: s, Hears: knows(ctx, r)}
	}
	return Resolver{Server: s, Hears: Heard}
}

// rootServer is a name that every resolver of the Internet's names knows.
const rootServer = "a.root-servers.net"

// knows tells a resolver that a list does not answer from one that denies every name, with which
// no sender's domain would exist.
func knows(ctx context.Context, r dns.Resolver) Hearing {
	if found, err := dns.Addrs(ctx, r, rootServer, netip.IPv4Unspecified()); err != nil || len(found) == 0 {
		return Lost
	}
	return Deaf
}
