// Package auth checks whether a message comes from its claimed sender: SPF (RFC 7208)
// for the envelope sender, DKIM (RFC 6376) for who signed it, and DMARC (RFC
// 9989) for the domain that clients show.
package auth

import (
	"maps"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/units"
)

// Config is the section [auth] of the configuration.
type Config struct {
	// Whether the client may send for the domain of the envelope sender.
	SPF bool `toml:"spf"`
	// Whether the signatures of the message are valid.
	DKIM bool `toml:"dkim"`
	// Whether one of the two confirms the domain in the From field, and what that
	// domain wants done with mail that neither does. It takes both.
	DMARC bool `toml:"dmarc"`
	// Domains whose ARC seals are believed (RFC 8617), such as those of mailing lists
	// and forwarders that your people use: "lists.example.org", or ".example.org" for
	// all domains below it.
	// Where DMARC fails and one of them says that it passed before, the finding is
	// auth/arc-trusted instead of the failure. It takes dmarc.
	ARCTrusted []string `toml:"arc_trusted"`
	// Whether the results are added to the message, as Authentication-Results (RFC
	// 8601). Fields that claim to be ours are removed from mail from elsewhere.
	Results bool `toml:"results"`
	// What that field calls this site, such as "mx.example.com"; "" for the name of
	// this host.
	ID string `toml:"id"`
	// Signatures that are looked at, from the top.
	Signatures int `toml:"signatures"`
	// What findings add to the score of the message, by their names without
	// "auth/": { spf-fail = 2, dmarc-reject = 5 }. Nothing else has a score.
	Scores map[string]float64 `toml:"scores"`
}

// DefaultConfig checks nothing.
func DefaultConfig() Config { return Config{Results: true, Signatures: 10} }

// Enabled reports whether anything is checked.
func (c Config) Enabled() bool { return c.SPF || c.DKIM || c.DMARC }

// maxSignatures bounds what one message may cost.
const maxSignatures = 50

// Check finds what contradicts itself.
func (c Config) Check() error {
	var check units.Check
	check.If(c.Signatures < 1 || c.Signatures > maxSignatures,
		"signatures", "%d is not possible; write a number between 1 and %d", c.Signatures, maxSignatures)
	check.If(c.ID != "" && !isToken(c.ID), "id", "%q is no name for a site; write one such as \"mx.example.com\"", c.ID)
	check.If(len(c.ARCTrusted) > 0 && !c.DMARC, "arc_trusted", "it changes what a failure of DMARC means; write dmarc = true as well")
	for _, d := range c.ARCTrusted {
		check.If(!isDomain(strings.TrimPrefix(d, ".")), "arc_trusted",
			"%q is no domain; write one such as \"lists.example.org\", or \".example.org\" for all below it", d)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Scores)) {
		check.If(!catalogue.Has(word+"/"+name), "scores."+name, "there is no finding auth/%s", name)
	}
	return check.Err()
}

// isDomain reports whether s is a domain of at least two labels. One label would include all
// domains below it.
func isDomain(s string) bool {
	host := markup.Hostname(s)
	return strings.Contains(host, ".") && host[0] != '.' && !strings.Contains(host, "..")
}

// isToken reports whether s can be without quotes (RFC 2045, section 5.1).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`()<>@,;:\"/[]?=`, r) })
}
