package doctor

import (
	"context"
	"errors"
	"net/netip"

	"github.com/milterscan/milterscan/policy/dmarc"
	"github.com/milterscan/milterscan/scan/sender/dns"
)

// dmarcReports looks at the domain that reports of DMARC come from.
func (p *Installation) dmarcReports(ctx context.Context) []Finding {
	if !p.Config.DMARC.Enabled {
		return nil
	}
	return submitter(ctx, dns.NewClient(p.Config.DNS), p.Config.DMARC)
}

// submitter looks at what the domain of reports publishes: receivers refuse reports that do
// not pass DMARC themselves (RFC 9990, section 3.5.2).
func submitter(ctx context.Context, r dns.Resolver, c dmarc.Config) []Finding {
	domain := c.Submitter()
	texts, err := dns.Texts(ctx, r, "_dmarc."+domain)
	switch {
	case err != nil && !dns.NotFound(err):
		return []Finding{advice("see that dns.servers answer",
			"it is not known whether reports of DMARC from %s pass DMARC: %v", domain, err)}
	case !hasVersion(texts, "v=DMARC1"):
		return []Finding{advice("publish a DMARC record at _dmarc."+domain+", and have the MTA sign mail from there",
			"reports of DMARC come from %s, which has no DMARC record: many receivers will not take them", domain)}
	}
	if err := mailable(ctx, r, domain); err != nil {
		return []Finding{advice("let "+c.Email+" be a mailbox that is read",
			"reports of DMARC that cannot be delivered come back to %s, and %s takes no mail: %v",
			c.Email, domain, err)}
	}
	return []Finding{ok("reports of DMARC come from %s", c.Email)}
}

// hasVersion reports whether a record of a version is among texts.
func hasVersion(texts []string, version string) bool {
	for _, t := range texts {
		if len(t) >= len(version) && t[:len(version)] == version {
			return true
		}
	}
	return false
}

// Why a domain takes no mail.
var (
	errNoHost = errors.New("it has neither MX records nor an address")
	errNullMX = errors.New("it has a null MX")
)

// mailable returns nil if mail can be sent to a domain (RFC 5321, section 5.1).
func mailable(ctx context.Context, r dns.Resolver, domain string) error {
	list, err := r.Lookup(ctx, domain, dns.MX)
	switch {
	case err != nil:
		return err
	case len(list) == 1 && list[0].Host == "": // RFC 7505
		return errNullMX
	case len(list) > 0:
		return nil
	}
	for _, like := range []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		if addrs, err := dns.Addrs(ctx, r, domain, like); err == nil && len(addrs) > 0 {
			return nil
		}
	}
	return errNoHost
}
