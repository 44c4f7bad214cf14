package config

import (
	"io/fs"
	"os"
	"time"

	"github.com/milterscan/milterscan/policy/people/digest"
	"github.com/milterscan/milterscan/scan/units"
)

// Digest is the section [people.digest].
type Digest struct {
	// Send recipients mail that lists what is kept back from them: see docs/digests.md.
	Enabled bool `toml:"enabled"`
	// How often those get one who have settled nothing else: "daily", "hourly" or "off". Where
	// nothing is new there is none.
	Default digest.Interval `toml:"default"`
	// When daily ones are sent, for those who have settled nothing else.
	At digest.Clock `toml:"at"`
	// The time zone of that time, as "Europe/Berlin"; "" for that of the host.
	Zone string `toml:"zone"`
	// How many messages one lists; of further ones it has the number.
	Rows int `toml:"rows"`
	// How long the links in one are good.
	Links units.Duration `toml:"links"`
	// A person gets no more of them after so many in a row that were refused or came back.
	DropAfter int `toml:"drop_after"`
	// A directory with your templates: LANGUAGE.txt and LANGUAGE.html; what they define
	// replaces what is shipped. "" for none.
	Templates string `toml:"templates"`
}

func defaultDigest() Digest {
	return Digest{Default: digest.Daily, At: 7 * 60, Rows: 50, Links: units.Duration(14 * 24 * time.Hour), DropAfter: 3}
}

// Location returns the time zone of daily digests.
func (d Digest) Location() *time.Location { return locationOf(d.Zone) }

// Plan returns when those get digests who have settled nothing else.
func (d Digest) Plan() digest.Plan {
	return digest.Plan{Every: d.Default, At: d.At, Zone: d.Location()}
}

// Local returns the directory of the administrator's templates, nil for none.
func (d Digest) Local() fs.FS {
	if d.Templates == "" {
		return nil
	}
	return os.DirFS(d.Templates)
}

// The most that one digest may list: no person reads a longer one.
const mostDigestRows = 500

// Check returns the errors of the section [people.digest].
func (d Digest) Check() error {
	var check units.Check
	checkZone(&check, d.Zone)
	check.If(d.Rows < 1 || d.Rows > mostDigestRows, "rows", "%d is not between 1 and %d", d.Rows, mostDigestRows)
	check.If(d.Links.Go() < time.Hour, "links", "%v is too short for a mail to be read; write one such as \"14d\"", d.Links)
	check.AtLeast("drop_after", d.DropAfter, 1)
	if d.Templates != "" {
		if _, err := digest.NewTemplates(d.Local()); err != nil {
			check.Wrong("templates", "%v", err)
		}
	}
	return check.Err()
}

// checkDigest wants it known which addresses are ours: no digest goes outside.
func (b *binder) checkDigest(c *Config) {
	if c.People.Digest.Enabled && len(c.Local.Domains) == 0 {
		b.wrong("people.digest.enabled", "no address would be one of ours; set local.domains")
	}
}
