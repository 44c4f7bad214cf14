// Package greylist tells clients that come back from those that do not. A sender's
// first mail to a recipient is put off for a while: mail servers try again (RFC 5321,
// section 4.5.4.1), and many programs that send unsolicited mail do not (RFC 6647).
package greylist

import (
	"time"

	"github.com/milterscan/milterscan/scan/units"
)

// Config is the section [greylist] of the configuration.
type Config struct {
	// Whether mail from a client and a sender who have not sent any to the
	// recipient before is put off with a temporary failure. Your own clients and
	// your relays are not concerned.
	Enabled bool `toml:"enabled"`
	// The database, on a file system of this host.
	File string `toml:"file"`
	// How long mail is put off. Servers try again after 5 to 30 minutes.
	Delay units.Duration `toml:"delay"`
	// How long a client may take to try again; later it counts as new.
	Window units.Duration `toml:"window"`
	// How long after the last mail the pairs of sender and recipient, and the clients
	// that try again, are remembered.
	Keep units.Duration `toml:"keep"`
	// How often a client must have tried again before it is not put off any more,
	// for any sender; 0: it is put off for each new sender and recipient.
	AutoAllow int `toml:"auto_allow"`
	// The bits of an IPv4 address that are looked at: many servers try again from
	// a neighbour's address. 32 for the whole address.
	IPv4 int `toml:"ipv4"`
	// The bits of an IPv6 address that are looked at; 128 for the whole address.
	IPv6 int `toml:"ipv6"`
	// The least score with which mail is put off; 0 for no limit. With a limit,
	// mail is put off when it has been sent and its score is known.
	MinScore float64 `toml:"min_score"`
	// The score from which on mail is not put off, since other rules deal with it;
	// 0 for no limit.
	MaxScore float64 `toml:"max_score"`
	// How many senders of recipients, and clients, are remembered; beyond that,
	// those are forgotten that would be next.
	Entries int `toml:"entries"`
}

// DefaultConfig puts no mail off.
func DefaultConfig() Config {
	return Config{
		File:      "/var/lib/milterscan/greylist.db",
		Delay:     units.Duration(5 * time.Minute),
		Window:    units.Duration(48 * time.Hour),
		Keep:      units.Duration(35 * 24 * time.Hour), // what comes monthly is remembered
		AutoAllow: 5,
		IPv4:      24,
		IPv6:      64,
		Entries:   1_000_000,
	}
}

// Check finds what contradicts itself.
func (c Config) Check() error {
	var check units.Check
	check.Absolute("file", c.File, "/var/lib/milterscan/greylist.db")
	check.If(c.Window <= c.Delay, "window",
		"%v is not more than delay, which is %v, so no sender could come back in time; write more, such as \"48h\"", c.Window, c.Delay)
	check.If(c.Keep < c.Window, "keep", "%v is less than window; write more, such as \"35d\"", c.Keep)
	check.If(c.AutoAllow < 0, "auto_allow", "it cannot be negative; write 0 for never")
	check.If(c.IPv4 < 8 || c.IPv4 > 32, "ipv4", "%d is not possible; write a number of bits between 8 and 32, such as 24", c.IPv4)
	check.If(c.IPv6 < 16 || c.IPv6 > 128, "ipv6", "%d is not possible; write a number of bits between 16 and 128, such as 64", c.IPv6)
	check.If(c.MaxScore != 0 && c.MaxScore <= c.MinScore,
		"max_score", "no score is at least min_score, which is %v, and below %v; write more", c.MinScore, c.MaxScore)
	check.AtLeast("entries", c.Entries, 1)
	return check.Err()
}
