package auth

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"

	"blitiri.com.ar/go/spf"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/dns"
	"github.com/milterscan/milterscan/scan/sender/origin"
)

// spfResult is what SPF says about an envelope.
type spfResult struct {
	result string // as RFC 7208, section 2.6, calls it
	domain string // that was asked: the sender's, or with the null sender that of HELO
	helo   bool   // it is that of HELO
	why    string
}

// checkSPF asks whether the client may send for the sender (RFC 7208, section
// 2.4). Limits on the number of questions are those of section 4.6.4.
func checkSPF(ctx context.Context, r dns.Resolver, e scan.Envelope) spfResult {
	res := spfResult{result: "none", domain: origin.Domain(e.Sender)}
	sender := local(e.Sender) + "@" + res.domain
	if e.Sender == "" {
		res.domain, res.helo = strings.ToLower(strings.TrimSuffix(e.Helo, ".")), true
		sender = "postmaster@" + res.domain
	}
	addr := e.Client.Addr()
	if !addr.IsValid() || !strings.Contains(res.domain, ".") || strings.ContainsAny(res.domain, "[]:@ ") {
		return res
	}
	got, err := spf.CheckHostWithSender(addr.AsSlice(), e.Helo, sender, spf.WithContext(ctx), spf.WithResolver(spfResolver{r, addr}))
	res.result = string(got)
	if err != nil {
		res.why = err.Error()
	}
	return res
}

// local returns the local part of an address in a form in which the library finds the
// end of: at the first "@".
func local(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at <= 0 {
		return "postmaster" // RFC 7208, section 4.3
	}
	return strings.ReplaceAll(address[:at], "@", "_")
}

// spfResolver answers the library. Addresses are those of the client's family,
// and those of IPv4 as well, which "exists" asks for.
type spfResolver struct {
	dns.Resolver
	client netip.Addr
}

func (r spfResolver) LookupTXT(ctx context.Context, name string) ([]string, error) {
	texts, err := dns.Texts(ctx, r.Resolver, name)
	return texts, libraryError(err)
}

func (r spfResolver) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	records, err := r.Lookup(ctx, name, dns.MX)
	list := make([]*net.MX, len(records))
	for i, rr := range records {
		list[i] = &net.MX{Host: rr.Host, Pref: rr.Preference}
	}
	return list, libraryError(err)
}

func (r spfResolver) LookupIPAddr(ctx context.Context, name string) ([]net.IPAddr, error) {
	types := []dns.Type{dns.A}
	if r.client.Is6() {
		types = append(types, dns.AAAA)
	}
	var list []net.IPAddr
	for _, t := range types {
		records, err := r.Lookup(ctx, name, t)
		if err != nil {
			return nil, libraryError(err)
		}
		for _, rr := range records {
			list = append(list, net.IPAddr{IP: rr.Addr.AsSlice()})
		}
	}
	return list, nil
}

func (r spfResolver) LookupAddr(ctx context.Context, _ string) ([]string, error) {
	names, err := dns.Names(ctx, r.Resolver, r.client)
	return names, libraryError(err)
}

// libraryError returns an error as the library understands it.
func libraryError(err error) error {
	if err == nil {
		return nil
	}
	missing := dns.NotFound(err)
	return &net.DNSError{Err: err.Error(), IsNotFound: missing, IsTemporary: !missing && !errors.Is(err, dns.ErrBudget)}
}
