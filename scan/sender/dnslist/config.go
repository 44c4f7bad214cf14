// Package dnslist asks DNS lists about the hosts and domains of a message.
//
// A DNS list (RFC 5782) is a zone: 192.0.2.1 is listed in bl.example if
// 1.2.0.192.bl.example has an A record, evil.example if evil.example.bl.example
// has one. The address of the record says why, by the operator's own code;
// 127.255.255.0/24 says that the operator refuses to answer. A list may die, list
// the whole world or refuse one's questions any day, so that each is probed with
// entries that it must and must not have, and is switched off when it fails.
package dnslist

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan/open/texts"
	"github.com/milterscan/milterscan/scan/units"
)

// Config is what the section [spam] says about DNS lists.
type Config struct {
	// How long all lists together are waited for, before RCPT is answered and once
	// more at the end of the message. A list that has not answered by then is
	// passed over.
	ListTime units.Duration `toml:"list_time"`
	// DNS lists. None is asked until you name it: their terms differ, and those
	// below are examples. Mail of your own networks and of clients that have
	// authenticated is not looked up.
	Lists []List `toml:"list"`
}

// List is one [[spam.list]] entry.
type List struct {
	// What findings call the list: spam/list/NAME, or spam/allow/NAME.
	Name string `toml:"name"`
	// The zone that is asked.
	Zone string `toml:"zone"`
	// The names and addresses to look up: "client", the client's address; "helo", the
	// name it gave; "sender", the domain of the envelope sender; "from", those of the
	// From field; "link", the hosts and domains of links; "received", the addresses of
	// the hosts before the client; "dkim", the domains of valid signatures.
	Lookup Lookup `toml:"lookup"`
	// The answers that count: an address ("127.0.0.2"), a range
	// ("127.0.0.4-127.0.0.7"), a network ("127.0.1.0/24"), or the bits of which the
	// answer must have one ("bits:0.0.0.24").
	Answers []Answers `toml:"answers"`
	// What an entry adds to the score of the message.
	Score float64 `toml:"score"`
	// This is an allow list: if it has an entry for the message, other lists do not count.
	Allow bool `toml:"allow"`
	// Entries that the list must have, or it is off: "127.0.0.2" for lists of
	// addresses (RFC 5782, section 5); none for lists of domains, which differ.
	Listed []string `toml:"listed"`
	// Entries that the list must not have, or it is off: "127.0.0.1" and "invalid".
	Unlisted []string `toml:"unlisted"`
}

// SetDefaults gives l the values of an entry with nothing but a name and a zone.
func (l *List) SetDefaults() {
	*l = List{Lookup: Client, Answers: []Answers{exactly(netip.AddrFrom4([4]byte{127, 0, 0, 2}))}, Score: 1}
}

// DefaultConfig has no lists.
func DefaultConfig() Config { return Config{ListTime: units.Duration(5 * time.Second)} }

// Extent returns how much of a message is to be read for these lists: files too, where
// links are looked up.
func (c Config) Extent() texts.Extent {
	if slices.ContainsFunc(c.Lists, func(l List) bool { return l.Lookup == Link }) {
		return texts.Linked
	}
	return texts.Shown
}

// Lookup names the addresses or domains that are looked up in a list.
type Lookup string

// What can be looked up.
const (
	Client   Lookup = "client"
	Helo     Lookup = "helo"
	Sender   Lookup = "sender"
	From     Lookup = "from"
	Link     Lookup = "link"
	Received Lookup = "received"
	DKIM     Lookup = "dkim"
)

var lookups = []Lookup{Client, Helo, Sender, From, Link, Received, DKIM}

// UnmarshalText reads one of the words.
func (l *Lookup) UnmarshalText(text []byte) error { return units.ReadWord(l, text, lookups...) }

// ofMessage reports whether it takes the message to know what to look up.
func (l Lookup) ofMessage() bool { return l != Client && l != Helo && l != Sender }

// ofAddresses reports whether only addresses are looked up.
func (l Lookup) ofAddresses() bool { return l == Client || l == Received }

// longestTime keeps the answer to RCPT within the time that an MTA waits for it:
// 30 seconds with Postfix.
const longestTime = 20 * time.Second

// Check finds what contradicts itself or is missing.
func (c Config) Check() error {
	var check units.Check
	t := c.ListTime.Go()
	check.If(t <= 0 || t > longestTime, "list_time", "%v is not possible; write more than nothing and at most %v",
		c.ListTime, units.Duration(longestTime))
	for i, l := range c.Lists {
		check.Entry("list", i, l.Name, l.check())
	}
	return check.Err()
}

func (l List) check() error {
	unfit := func(r rune) bool { return r <= ' ' || r > '~' || r == '/' || r == '*' }
	switch {
	case l.Name == "" || strings.ContainsFunc(l.Name, unfit):
		return units.Wrong("name", "%q is no name; write a word of printable ASCII without blanks, slashes and stars", l.Name)
	case strings.Trim(l.Zone, ".") == "" || strings.ContainsFunc(l.Zone, unfit):
		return units.Wrong("zone", "%q is no zone; write one such as \"bl.example\"", l.Zone)
	case len(l.Answers) == 0:
		return units.Wrong("answers", "without answers that count nothing would; write the codes that the operator documents")
	case l.Lookup == "":
		return units.Wrong("lookup", "it is missing; it can be %s", units.Words(lookups))
	}
	return errors.Join(l.checkProbes("listed", l.Listed), l.checkProbes("unlisted", l.Unlisted))
}

// checkProbes holds the entries by which a list is tested to what it lists.
func (l List) checkProbes(key string, entries []string) error {
	for i, e := range entries {
		if _, err := netip.ParseAddr(e); err != nil && l.Lookup.ofAddresses() {
			return units.Wrong(fmt.Sprintf("%s[%d]", key, i),
				"%q is no address, and the list is one of addresses; write one such as \"127.0.0.2\"", e)
		}
	}
	return nil
}
