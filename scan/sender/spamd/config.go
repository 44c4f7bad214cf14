package spamd

import (
	"errors"
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
}

// DefaultConfig returns the shipped configuration, which names no spamd.
func DefaultConfig() Config {
	return Config{Timeout: units.Duration(20 * time.Second), MaxSize: 512 * units.KB, Connections: 5, Outbound: true}
}

// Check finds what contradicts itself.
func (c Config) Check() error {
	var errs []error
	for i, a := range c.Addresses {
		if _, _, err := units.ParseAddress(a); err != nil {
			errs = append(errs, units.Wrong(fmt.Sprintf("address[%d]", i), "%v", err))
		}
	}
	if strings.ContainsFunc(c.User, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		errs = append(errs, units.Wrong("user", "%q is no user; write a name on one line", c.User))
	}
	if c.Timeout <= 0 {
		errs = append(errs, units.Wrong("timeout", "there must be some time; write a duration such as \"30s\""))
	}
	if c.MaxSize <= 0 {
		errs = append(errs, units.Wrong("max_size", "no message would be small enough; write a size such as \"512KB\""))
	}
	if c.Connections < 1 {
		errs = append(errs, units.Wrong("connections", "%d is too few; write at least 1", c.Connections))
	}
	return errors.Join(errs...)
}
