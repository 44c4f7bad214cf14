// Package contact remembers which addresses have written to each other: it tells the first mail of
// an author to a recipient from later ones, and answers to mail of ours from other mail.
package contact

import (
	"time"

	"github.com/milterscan/milterscan/scan/units"
)

// Config is the section [contact] of the configuration.
type Config struct {
	// Whether it is remembered who has written to whom. Mail from an author of whom a
	// recipient has had none, and to whom the recipient has written none, is
	// content/first-contact then; one that answers mail of the recipient's is content/reply.
	Enabled bool `toml:"enabled"`
	// The database, on a file system of this host. It holds hashes, no addresses.
	// With store.url hosts share what it holds.
	File string `toml:"file"`
	// How long after the last mail a pair of author and recipient is remembered.
	Keep units.Duration `toml:"keep"`
	// How long pairs are collected, from the beginning of the database on, before a
	// contact counts as the first: until then most would.
	Learn units.Duration `toml:"learn"`
	// How long the Message-IDs of your mail are remembered, by which answers are known.
	Replies units.Duration `toml:"replies"`
	// How many pairs and Message-IDs are remembered; beyond that, those are forgotten that
	// would be next.
	Entries int `toml:"entries"`
}

// DefaultConfig remembers nothing.
func DefaultConfig() Config {
	return Config{
		File:    "/var/lib/milterscan/contact.db",
		Keep:    units.Duration(400 * 24 * time.Hour), // what comes once a year is remembered
		Learn:   units.Duration(14 * 24 * time.Hour),
		Replies: units.Duration(60 * 24 * time.Hour),
		Entries: 2_000_000,
	}
}

// Check finds what contradicts itself.
func (c Config) Check() error {
	var check units.Check
	check.Absolute("file", c.File, "/var/lib/milterscan/contact.db")
	check.If(c.Keep < units.Duration(24*time.Hour), "keep", "%v is less than a day; write more, such as \"400d\"", c.Keep)
	check.If(c.Learn < 0, "learn", "%v is less than nothing; write \"0s\" to learn nothing before", c.Learn)
	check.If(c.Learn > c.Keep, "learn", "%v is more than keep, which is %v; write less, such as \"14d\"", c.Learn, c.Keep)
	check.If(c.Replies < units.Duration(time.Hour), "replies", "%v is less than an hour; write more, such as \"60d\"", c.Replies)
	check.AtLeast("entries", c.Entries, 1)
	return check.Err()
}
