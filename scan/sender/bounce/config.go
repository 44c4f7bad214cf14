// Package bounce tells bounces of mail of ours from forged ones. Mail that goes
// out gets a mark that only we can make; a bounce quotes the mail it is about, and
// the mark with it (RFC 3464, section 2). A message that claims to be a bounce and
// quotes no mark is about mail that others have sent in our name.
package bounce

import (
	"time"

	"github.com/milterscan/milterscan/scan/units"
)

// Config is the section [bounce] of the configuration.
type Config struct {
	// The file with the keys that marks are made with, one on each line: a name of
	// up to 16 letters and digits, a blank, and at least 32 bytes in hexadecimal, as
	// "openssl rand -hex 32" writes them. The first key marks; all of them are good
	// for checking. Others than its owner and group must not read it. "" for no
	// marks.
	Keys string `toml:"keys"`
	// How long after a mail was sent a bounce may come. Keep a key in the file for
	// as long after another one has become the first.
	Valid units.Duration `toml:"valid"`
}

// DefaultConfig makes no marks.
func DefaultConfig() Config { return Config{Valid: units.Duration(14 * 24 * time.Hour)} }

// Enabled reports whether mail is marked and bounces are checked.
func (c Config) Enabled() bool { return c.Keys != "" }

// Check finds what contradicts itself. It does not read the keys.
func (c Config) Check() error {
	var check units.Check
	if c.Enabled() {
		check.Absolute("keys", c.Keys, "/etc/milterscan/bounce.keys")
	}
	check.If(c.Valid.Go() < 24*time.Hour, "valid",
		"%v is too short: servers try for days before they give up; write at least \"1d\", such as \"14d\"", c.Valid)
	return check.Err()
}
