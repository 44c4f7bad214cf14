// Package dmarc tells domains what their mail looks like from here: it collects what
// DMARC found, adds it up by day and domain, and sends aggregate reports (RFC
// 9990) to those who ask for them in their policy record.
package dmarc

import (
	"net/mail"
	"strings"

	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/units"
)

// Config is the section [dmarc_reports].
type Config struct {
	// Send domains that ask for them a report a day about the mail in their name: see
	// docs/dmarc.md. It takes auth.dmarc, and tells other hosts which clients send you mail.
	Enabled bool `toml:"enabled"`
	// The name of your organisation, as reports show it.
	Organization string `toml:"organization"`
	// The address that reports come from, in the envelope as well: its domain names you in
	// reports, and should pass DMARC itself. What cannot be delivered comes back there.
	Email string `toml:"email"`
	// Where people find more, such as the address of a page; "" for nothing.
	Contact string `toml:"contact"`
	// Where what was found is added up; or, with store.url, where it waits to be added to that of other hosts.
	File string `toml:"file"`
	// Domains that are reported about on one day; further ones are counted as lost.
	Domains int `toml:"domains"`
	// Rows in the report of one domain; further ones are counted as lost.
	Rows int `toml:"rows"`
	// Reports that are sent on one day to the hosts of one organisation, about whatever domains; further
	// ones are not sent.
	PerDestination int `toml:"per_destination"`
}

// DefaultConfig sends nothing.
func DefaultConfig() Config {
	return Config{File: "/var/lib/milterscan/dmarc.db", Domains: 10_000, Rows: 5_000, PerDestination: 500}
}

// Bounds of the settings.
const (
	mostDomains = 100_000
	mostRows    = 50_000
)

// Check finds what contradicts itself.
func (c Config) Check() error {
	var check units.Check
	check.Absolute("file", c.File, "/var/lib/milterscan/dmarc.db")
	check.If(c.Domains < 1 || c.Domains > mostDomains, "domains", "%d is not between 1 and %d", c.Domains, mostDomains)
	check.If(c.Rows < 1 || c.Rows > mostRows, "rows", "%d is not between 1 and %d", c.Rows, mostRows)
	check.If(c.PerDestination < 1 || c.PerDestination > mostDomains, "per_destination", "%d is not between 1 and %d",
		c.PerDestination, mostDomains)
	check.If(c.Enabled && strings.TrimSpace(c.Organization) == "", "organization", "reports would come from no organisation; write its name")
	check.If((c.Enabled || c.Email != "") && !isAddress(c.Email), "email",
		"%q is no address; write one such as \"dmarc@example.com\"", c.Email)
	return check.Err()
}

// Submitter returns the domain that reports come from.
func (c Config) Submitter() string {
	_, domain, _ := strings.Cut(c.Email, "@")
	return markup.Hostname(domain)
}

// isAddress reports whether s is a plain address of a domain that DNS may have.
func isAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || strings.Count(s, "@") != 1 {
		return false
	}
	local, domain, _ := strings.Cut(s, "@")
	host := markup.Hostname(domain)
	return strings.Contains(host, ".") && !strings.ContainsAny(local, "\" \t\r\n<>,;:%!") && !strings.HasPrefix(local, "-")
}
