// Package relay checks, before the message, what a client says about itself: its
// name, its reverse DNS, and whether the sender's domain exists and takes mail.
package relay

import (
	"maps"
	"slices"

	"github.com/milterscan/milterscan/scan/units"
)

// Config is the section [relay] of the configuration.
type Config struct {
	// Whether the sender's domain must exist and take mail: "auto", once dns.servers
	// and local.domains are set; "on"; "off". The null sender and your own domains
	// are not asked about.
	SenderDomain Switch `toml:"sender_domain"`
	// Whether what clients say in HELO is looked at.
	Helo bool `toml:"helo"`
	// Whether the name of a client's address leads back to it.
	ReverseDNS bool `toml:"reverse_dns"`
	// Connections that one client may have open at the same time; 0 for any number.
	Connections int `toml:"connections"`
	// What findings add to the score of the message, by their names without
	// "relay/": { forged-reverse-dns = 2, helo-forged = 3 }. Nothing else has a
	// score.
	Scores map[string]float64 `toml:"scores"`
}

// Switch is whether something is done.
type Switch string

// The positions of a switch.
const (
	Auto Switch = "auto"
	On   Switch = "on"
	Off  Switch = "off"
)

// UnmarshalText reads "auto", "on" or "off".
func (s *Switch) UnmarshalText(text []byte) error { return units.ReadWord(s, text, Auto, On, Off) }

// DefaultConfig checks the sender's domain as soon as it is known which are ours,
// and nothing else.
func DefaultConfig() Config { return Config{SenderDomain: Auto} }

// Enabled reports whether anything is checked.
func (c Config) Enabled() bool {
	return c.SenderDomain == On || c.Helo || c.ReverseDNS || c.Connections > 0
}

// NeedsDNS reports whether anything is switched on that asks resolvers.
func (c Config) NeedsDNS() bool { return c.SenderDomain == On || c.ReverseDNS }

// Check finds what contradicts itself.
func (c Config) Check() error {
	var check units.Check
	check.If(c.Connections < 0, "connections", "it cannot be negative; write 0 for any number")
	for _, name := range slices.Sorted(maps.Keys(c.Scores)) {
		check.If(!catalogue.Has(word+"/"+name), "scores."+name, "there is no finding relay/%s", name)
	}
	return check.Err()
}
