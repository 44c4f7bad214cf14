// Package rate counts the recipients that clients, senders and users send to, by
// token bucket: a sender that has been quiet may send a bucket full at once, and
// after that as fast as the bucket fills. It bounds the mail that a stolen account
// can send.
package rate

import (
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan/units"
)

// Config is the section [rate] of the configuration.
type Config struct {
	// The database, on a file system of this host.
	File string `toml:"file"`
	// How many clients, senders, users and recipients are counted; beyond that,
	// those are forgotten who have sent least.
	Entries int `toml:"entries"`
	// The limits. What becomes of mail above one, a rule of yours says, for the
	// finding "rate/over/NAME".
	Limits []Limit `toml:"limit"`
}

// Limit is one [[rate.limit]].
type Limit struct {
	// What findings and rules call the limit: "rate/over/NAME".
	Name string `toml:"name" example:"\"users\""`
	// Who is counted: "client" by its address, a /64 of IPv6; "sender" by the
	// envelope sender; "user" by the login name; "recipient" by the mail sent to it.
	By By `toml:"by" example:"\"user\""`
	// Recipients that each of them may send to within the time below; as many at
	// once, and then as they come free.
	Recipients int `toml:"recipients" example:"200"`
	// The time.
	Per units.Duration `toml:"per" example:"\"1h\""`
}

// By says by which name or address a limit counts.
type By string

// What can be counted.
const (
	Client    By = "client"
	Sender    By = "sender"
	User      By = "user"
	Recipient By = "recipient"
)

var words = []By{Client, Sender, User, Recipient}

// UnmarshalText reads one of the words.
func (b *By) UnmarshalText(text []byte) error { return units.ReadWord(b, text, words...) }

// DefaultConfig has no limits.
func DefaultConfig() Config {
	return Config{File: "/var/lib/milterscan/rate.db", Entries: 1_000_000}
}

// Limits of limits.
const (
	longest = 31 * 24 * time.Hour
	most    = 1_000_000
)

// Check finds what contradicts itself or is missing.
func (c Config) Check() error {
	var check units.Check
	check.Absolute("file", c.File, "/var/lib/milterscan/rate.db")
	check.AtLeast("entries", c.Entries, 1)
	for i, l := range c.Limits {
		check.Entry("limit", i, l.Name, l.check())
	}
	return check.Err()
}

func (l Limit) check() error {
	unfit := func(r rune) bool { return r <= ' ' || r > '~' || r == '/' || r == '*' }
	switch {
	case l.Name == "" || strings.ContainsFunc(l.Name, unfit):
		return units.Wrong("name", "%q is no name; write a word of printable ASCII without blanks, slashes and stars", l.Name)
	case l.By == "":
		return units.Wrong("by", "it is missing; it can be %s", units.Words(words))
	case l.Recipients < 1 || l.Recipients > most:
		return units.Wrong("recipients", "%d is not possible; write a number between 1 and %d", l.Recipients, most)
	case l.Per.Go() < time.Second || l.Per.Go() > longest:
		return units.Wrong("per", "%v is not possible; write between \"1s\" and \"31d\", such as \"1h\"", l.Per)
	}
	return nil
}
