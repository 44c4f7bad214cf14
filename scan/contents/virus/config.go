package virus

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan/units"
)

// The types of engine.
const (
	TypeClamd   = "clamd"
	TypeICAP    = "icap"
	TypeCommand = "command"
	TypeHTTP    = "http"
	TypeYARA    = "yara"
	TypeHashes  = "hashes"
)

// Feed says which contents of a message an engine gets.
type Feed string

// The feeds. FeedAuto depends on the engine: every leaf once, decoded, and the
// raw message as well where opening it found anything out of the ordinary; clamd,
// which knows mail, gets the message without its attachments, too. FeedRaw sends
// the raw message only, FeedBoth all of it.
const (
	FeedAuto Feed = "auto"
	FeedRaw  Feed = "raw"
	FeedBoth Feed = "both"
)

// Config is one [[virus]] entry of the configuration: one engine. A zero field
// means its default.
type Config struct {
	Name string `toml:"name"` // unique; the engine reports as "virus/NAME"
	Type string `toml:"type"` // "clamd", "icap", "http", "command", "yara" or "hashes"; which keys each has: docs/engines.md
	// clamd: "unix:/path" or "tcp:host:port"; icap: "icap://host:1344/service", or "icaps:" for TLS. Of several the first that works is used
	Address     Addresses      `toml:"address"`
	Feed        Feed           `toml:"feed"`        // "auto" (default), "raw" or "both"
	Timeout     units.Duration `toml:"timeout"`     // for one message, all of it; default 45s, less than the time for the whole message
	Connections int            `toml:"connections"` // messages that are asked about at once; default 16
	// the largest content the engine looks at to the end; for clamd the least of its StreamMaxLength, MaxFileSize and
	// MaxScanSize. Default 25MB. A larger part counts as not scanned
	MaxStream units.Size `toml:"max_stream"`
	CAFile    string     `toml:"ca_file"`    // icap: the authorities for icaps, in PEM; without it those of the system
	Lists     []string   `toml:"lists"`      // hashes: .hdb and .hsb files
	OnFailure string     `toml:"on_failure"` // "tempfail" (default), "hold" or "deliver"; for the policy
	// the name of another engine: this one is asked only when that one fails, and the mail then does not count as unexamined
	BackupFor string `toml:"backup_for"`
	Program
	YARA
	HTTP
}

// Default returns the entries of an empty configuration: the built-in hash engine
// without lists.
func Default() []Config {
	c := Config{Name: TypeHashes, Type: TypeHashes}
	c.SetDefaults()
	return []Config{c}
}

// Check finds what contradicts itself or is missing.
func (c Config) Check() error {
	var check units.Check
	check.If(c.Name == "" || strings.ContainsFunc(c.Name, unfit) || strings.Contains(c.Name, "/"),
		"name", "%q is no name; write a word of printable ASCII without blanks and slashes", c.Name)
	if c.OnFailure != "" {
		check.Word("on_failure", c.OnFailure, "tempfail", "hold", "deliver")
	}
	k, ok := kindOf(c.Type)
	if !ok {
		check.Word("type", c.Type, kindNames()...)
		return check.Err()
	}
	c.checkKeys(k, &check)
	if k.check != nil {
		c.checkLimits(&check)
		k.check(c, &check)
	}
	return check.Err()
}

// checkKeys looks for settings that the type of engine does not have.
func (c Config) checkKeys(k kind, check *units.Check) {
	for _, set := range []struct {
		key string
		set bool
	}{
		{"address", len(c.Address) > 0},
		{"ca_file", c.CAFile != ""},
		{"lists", len(c.Lists) > 0},
		{"command", len(c.Command) > 0},
		{"clean", len(c.Clean) > 0},
		{"infected", len(c.Infected) > 0},
		{"signature", c.Signature != ""},
		{"expect", c.Expect != ""},
		{"read", len(c.Read) > 0},
		{"memory", c.Memory != 0},
		{"poll", c.Poll != ""},
		{"poll_every", c.PollEvery != 0},
		{"token_file", c.TokenFile != ""},
		{"id_at", c.IDAt != ""},
		{"verdict_at", c.VerdictAt != ""},
		{"name_at", c.NameAt != ""},
		{"clean_words", len(c.CleanWords) > 0},
		{"infected_words", len(c.InfectedWords) > 0},
		{"pending_words", len(c.PendingWords) > 0},
		{"remember", c.Remember != 0},
		{"await", c.Await != 0},
		{"on_infected", c.OnInfected != ""},
		{"notify", len(c.Notify) > 0},
		{"rules", len(c.Rules) > 0},
		{"verdict", c.Verdict != ""},
	} {
		check.If(set.set && !slices.Contains(k.keys, set.key), set.key, "an engine of type %s has no such key; leave it out", k.name)
	}
}

// CheckBackup returns the faults of the entry that c is a backup for; all holds all
// entries.
func (c Config) CheckBackup(all []Config) error {
	i := slices.IndexFunc(all, func(other Config) bool { return other.Name == c.BackupFor })
	switch {
	case c.BackupFor == "":
	case !c.Asks():
		return units.Wrong("backup_for", "an engine that asks nobody always looks; leave it out")
	case i < 0:
		return units.Wrong("backup_for", "there is no engine called %q; name one of the others", c.BackupFor)
	case all[i].BackupFor != "":
		return units.Wrong("backup_for", "%q is itself a backup; name %q", c.BackupFor, all[i].BackupFor)
	case !all[i].Asks():
		return units.Wrong("backup_for", "%q asks nobody and so cannot fail; leave it out", c.BackupFor)
	case c.OnFailure != "" && c.OnFailure != "tempfail":
		return units.Wrong("on_failure", "it is for the engine that this one is a backup for; set it at %q", c.BackupFor)
	}
	return nil
}

// checkLimits checks what all engines have that are asked.
func (c Config) checkLimits(check *units.Check) {
	if c.Feed != "" {
		check.Word("feed", string(c.Feed), string(FeedAuto), string(FeedRaw), string(FeedBoth))
	}
	for key, negative := range map[string]bool{"connections": c.Connections < 0, "max_stream": c.MaxStream < 0, "timeout": c.Timeout < 0} {
		check.If(negative, key, "it cannot be negative; leave it out for the default")
	}
	check.If(c.MaxStream > 0 && c.MaxStream < minStream, "max_stream", "%v is too little; write at least %v", c.MaxStream, minStream)
}

// checkAddresses has every address read.
func (c Config) checkAddresses(check *units.Check, read func(string) error) {
	for i, a := range c.Address {
		if err := read(a); err != nil {
			check.Wrong(fmt.Sprintf("address[%d]", i), "%v", err)
		}
	}
}

// Asks reports whether the engine asks a server and so has a time limit.
func (c Config) Asks() bool {
	k, ok := kindOf(c.Type)
	return ok && k.check != nil
}

// Local reports whether asking the engine asks no other host: it has no addresses, or they are
// sockets in this host's files.
func (c Config) Local() bool {
	return !slices.ContainsFunc(c.Address, func(a string) bool { return !strings.HasPrefix(a, "unix:") })
}

// minStream leaves room for windows that overlap.
const minStream = 1 * units.MB

// SetDefaults fills in the fields that are not set.
func (c *Config) SetDefaults() {
	if c.Feed == "" {
		c.Feed = FeedAuto
	}
	if c.Timeout == 0 {
		c.Timeout = units.Duration(45 * time.Second)
	}
	if c.Connections == 0 {
		c.Connections = 16
	}
	if c.MaxStream == 0 {
		c.MaxStream = 25 * units.MB
	}
	if c.OnFailure == "" {
		c.OnFailure = "tempfail"
	}
}
