package policy

import (
	"fmt"
	"slices"
	"strings"
)

// Country is a country by its two letters (ISO 3166-1), upper case.
type Country string

// UnmarshalText reads the letters of a country, in upper or lower case.
func (c *Country) UnmarshalText(text []byte) error {
	s := strings.ToUpper(string(text))
	if len(s) != 2 || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return fmt.Errorf("%q is no country; write its two letters, such as \"DE\"", text)
	}
	*c = Country(s)
	return nil
}

// placeMatches says whether the client is in one of the countries and one of the autonomous
// systems. An unknown place matches neither; the client that sent to a relay of ours is known with
// the message.
func (r *rule) placeMatches(f *facts) truth {
	p := f.in.Envelope.Place
	matches := func() bool {
		return (len(r.Scope.Country) == 0 || p.Country != "" && slices.Contains(r.Scope.Country, Country(p.Country))) &&
			(len(r.Scope.ASN) == 0 || p.ASN != 0 && slices.Contains(r.Scope.ASN, p.ASN))
	}
	return f.once(f.knowsPlace(), matches())
}

// knowsPlace reports whether the place of the client that sent the mail is known, as far as it ever is.
func (f *facts) knowsPlace() bool {
	return f.complete() || !f.local.Relay(f.in.Envelope.Client.Addr())
}
