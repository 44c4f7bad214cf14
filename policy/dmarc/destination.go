package dmarc

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/sender/dns"
)

// Destination is where a report goes.
type Destination struct {
	Address string
	Limit   int64 // bytes the mail may have; 0 for any number
}

// Bounds of what a record may ask for.
const (
	mostDestinations = 4 // others are left out: a record cannot make us write to many
	longestAddress   = 254
)

// destinations reads the tag rua: addresses of mail that are separated by commas, each with a size
// that reports may not exceed (RFC 9989, section 4.7, and RFC 7489, section 6.2, for "!10m"). It
// leaves out all that are no addresses of mail.
func destinations(rua string) []Destination {
	var list []Destination
	seen := map[string]bool{}
	for uri := range strings.SplitSeq(rua, ",") {
		d, ok := destination(strings.TrimSpace(uri))
		if ok && !seen[d.Address] && len(list) < mostDestinations {
			seen[d.Address] = true
			list = append(list, d)
		}
	}
	return list
}

func destination(uri string) (d Destination, ok bool) {
	scheme, rest, _ := strings.Cut(uri, ":")
	if !strings.EqualFold(scheme, "mailto") {
		return d, false
	}
	rest, limit, limited := strings.Cut(rest, "!")
	rest, _, _ = strings.Cut(rest, "?") // a subject, and the like
	address, err := url.PathUnescape(rest)
	if err != nil || len(address) > longestAddress || !isAddress(address) {
		return d, false
	}
	d.Address = address
	if limited {
		d.Limit, ok = size(limit)
		return d, ok
	}
	return d, true
}

// size reads a number of bytes, with k, m, g or t for powers of 1,024.
func size(s string) (int64, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	shift := 0
	if s != "" {
		if i := strings.IndexByte("kmgt", s[len(s)-1]); i >= 0 {
			shift, s = 10*(i+1), s[:len(s)-1]
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 || n > 1<<62>>shift {
		return 0, false
	}
	return n << shift, true
}

// errUnwanted says that a destination did not agree to have reports about a domain.
var errUnwanted = errors.New("it has not agreed to have reports about this domain")

// agreed returns nil if a destination may be sent reports about the domain of a policy:
// if it is in the same organisation, or says that it wants them (RFC 9990,
// section 4). Else anybody could have reports sent to others. Any other error than
// errUnwanted says that it could not be found out.
func agreed(ctx context.Context, r dns.Resolver, domain string, d Destination) error {
	_, at, _ := strings.Cut(d.Address, "@")
	host := markup.Hostname(at)
	if sameOrganization(host, domain) {
		return nil
	}
	texts, err := dns.Texts(ctx, r, domain+"._report._dmarc."+host)
	switch {
	case dns.NotFound(err):
		return errUnwanted
	case err != nil:
		return err
	}
	for _, t := range texts {
		if version, rest, _ := strings.Cut(t, ";"); strings.Join(strings.Fields(version), "") == "v=DMARC1" {
			return redirected(rest, d)
		}
	}
	return errUnwanted
}

// sameOrganization reports whether one of two domains is the other or below it, with a name above
// both that can be registered. It is stricter than RFC 9990, which has the organisations compared:
// where it is not sure, the destination is asked.
func sameOrganization(a, b string) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	return a == b || markup.Below(a, b) && markup.Suffixed(b)
}

// redirected refuses a destination that wants its reports elsewhere. RFC 9990 lets it name
// another address at the same host; which one is for the domain to write into its own
// record.
func redirected(tags string, d Destination) error {
	for tag := range strings.SplitSeq(tags, ";") {
		name, value, _ := strings.Cut(tag, "=")
		if strings.TrimSpace(name) != "rua" {
			continue
		}
		for _, other := range destinations(value) {
			if strings.EqualFold(other.Address, d.Address) {
				return nil
			}
		}
		return fmt.Errorf("%w at %s: it wants them elsewhere", errUnwanted, d.Address)
	}
	return nil
}
