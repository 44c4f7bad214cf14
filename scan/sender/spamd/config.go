package spamd

import (
	"fmt"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan/units"
)

// Config is the section [spam.spamassassin] of the configuration.
type Config struct {
	// Where spamd listens: "unix:/path" or "tcp:host:port"; of several the first
	// that answers is used. While there is none, SpamAssassin is not asked.
	Addresses []string `toml:"address" example:"[\"tcp:127.0.0.1:783\"]"`
	// The user whose preferences spamd takes; "" for those of all.
	User string `toml:"user"`
	// How long it may take for one message. A late answer does not count.
	Timeout units.Duration `toml:"timeout"`
	// The largest message it is asked about: spam is small, and it is slow.
	MaxSize units.Size `toml:"max_size"`
	// Messages it is asked about at once; no more than spamd has children.
	Connections int `toml:"connections"`
	// Whether mail from your own networks and users is asked about, too.
	Outbound bool `toml:"outbound"`
	// Whether it is told what people say is spam, and what is not. spamd has to run
	// with --allow-tell.
	Learn bool `toml:"learn"`
}

// DefaultConfig returns the shipped configuration, which names no spamd.
func DefaultConfig() Config {
	return Config{Timeout: units.Duration(20 * time.Second), MaxSize: 512 * units.KB, Connections: 5, Outbound: true}
}

// Check finds what contradicts itself.
func (c Config) Check() error {
	var check units.Check
	for i, a := range c.Addresses {
		if _, _, err := units.ParseAddress(a); err != nil {
			check.Wrong(fmt.Sprintf("address[%d]", i), "%v", err)
		}
	}
	check.If(strings.ContainsFunc(c.User, func(r rune) bool { return r < ' ' || r == 0x7f }),
		"user", "%q is no user; write a name on one line", c.User)
	check.If(c.Timeout <= 0, "timeout", "there must be some time; write a duration such as \"30s\"")
	check.If(c.MaxSize <= 0, "max_size", "no message would be small enough; write a size such as \"512KB\"")
	check.AtLeast("connections", c.Connections, 1)
	return check.Err()
}
