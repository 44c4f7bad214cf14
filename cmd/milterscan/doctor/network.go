package doctor

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/milterscan/milterscan/scan/sender/dns"
	"github.com/milterscan/milterscan/scan/sender/dnslist"
)

// question is the name that a resolver is asked for to see whether it answers. The name never
// exists (RFC 6761, section 6.4), so that any answer is a good one.
const question = "milterscan.invalid"

// resolvers asks every resolver on its own.
func (p *Installation) resolvers(ctx context.Context) []Finding {
	results := make([][]Finding, len(p.Config.DNS.Servers))
	var wg sync.WaitGroup
	for i, server := range p.Config.DNS.Servers {
		wg.Go(func() { results[i] = p.resolver(ctx, server) })
	}
	wg.Wait()
	return join(results)
}

func (p *Installation) resolver(ctx context.Context, server dns.Server) []Finding {
	c := p.Config.DNS
	c.Servers = []dns.Server{server}
	begun := time.Now()
	_, err := dns.NewClient(c).Lookup(ctx, question, dns.A)
	took := time.Since(begun).Round(time.Millisecond)
	if err != nil && !dns.NotFound(err) {
		return []Finding{fault("start it, or write one that answers into dns.servers", "%s: %v", server, err)}
	}
	found := []Finding{ok("%s answers in %v", server, took)}
	if a, err := netip.ParseAddrPort(string(server)); err == nil && slices.Contains(public(), a.Addr().String()) {
		found = append(found, advice("run a resolver of your own, such as unbound, and name it in dns.servers",
			"%s is a public resolver: DNS lists refuse to answer it", server))
	}
	return found
}

// public returns the addresses of public resolvers.
func public() []string {
	return []string{"8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "149.112.112.112",
		"208.67.222.222", "208.67.220.220",
		"2001:4860:4860::8888", "2001:4860:4860::8844", "2606:4700:4700::1111", "2606:4700:4700::1001", "2620:fe::fe"}
}

// dnsLists asks every list for entries that it must and must not have.
func (p *Installation) dnsLists(ctx context.Context) []Finding {
	if len(p.Config.Spam.Lists) == 0 || len(p.Config.DNS.Servers) == 0 {
		return nil
	}
	var found []Finding
	for i, err := range dnslist.Probe(ctx, p.Config.Spam.Config, dns.NewClient(p.Config.DNS)) {
		l := p.Config.Spam.Lists[i]
		switch {
		case err == nil:
			found = append(found, ok("%s (%s) lists what it must, and nothing that it must not", l.Name, l.Zone))
		case errors.Is(err, dns.ErrUnreachable):
			found = append(found, fault("see to the resolver first", "%s (%s): %v", l.Name, l.Zone, err))
		default:
			found = append(found, fault("see whether the list still exists and answers your resolver "+
				"(limits, registration); else take it out of spam.list",
				"%s (%s): %v", l.Name, l.Zone, err))
		}
	}
	return found
}
