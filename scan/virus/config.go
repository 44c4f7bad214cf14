package virus

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan/units"
)

// The types of engine.
const (
	TypeClamd  = "clamd"
	TypeHashes = "hashes"
)

// Feed says what an engine is given of a message.
type Feed string

// The feeds. FeedAuto sends every leaf once, decoded, and the message without
// its attachments; the raw message as well where opening it found anything out
// of the ordinary. FeedRaw sends the raw message only, FeedBoth all of it.
const (
	FeedAuto Feed = "auto"
	FeedRaw  Feed = "raw"
	FeedBoth Feed = "both"
)

// Config is one [[virus]] entry of the configuration: one engine. A zero field
// means its default.
type Config struct {
	Name        string         `toml:"name"`        // unique; the engine reports as "virus/NAME"
	Type        string         `toml:"type"`        // "clamd" or "hashes"
	Address     Addresses      `toml:"address"`     // clamd: "unix:/path" or "tcp:host:port"; of several the first that works is used
	Feed        Feed           `toml:"feed"`        // clamd: "auto" (default), "raw" or "both"
	Timeout     units.Duration `toml:"timeout"`     // clamd: for one message, all of it; default 45s, less than the time for the whole message
	Connections int            `toml:"connections"` // clamd: at once, each serving one message; default 16
	MaxStream   units.Size     `toml:"max_stream"`  // clamd: the least of its StreamMaxLength, MaxFileSize and MaxScanSize; default 25MB. Above, a part counts as not scanned
	Lists       []string       `toml:"lists"`       // hashes: .hdb and .hsb files
	OnFailure   string         `toml:"on_failure"`  // "tempfail" (default), "hold" or "deliver"; for the policy
}

// Default is what runs with an empty configuration: the built-in hash engine
// without lists.
func Default() []Config {
	c := Config{Name: TypeHashes, Type: TypeHashes}
	c.SetDefaults()
	return []Config{c}
}

// Check finds what contradicts itself or is missing.
func (c Config) Check() error {
	var errs []error
	if c.Name == "" || strings.ContainsFunc(c.Name, unfit) || strings.Contains(c.Name, "/") {
		errs = append(errs, errors.New("name must be a word of printable ASCII without blanks and slashes"))
	}
	if c.OnFailure != "" && !slices.Contains([]string{"tempfail", "hold", "deliver"}, c.OnFailure) {
		errs = append(errs, fmt.Errorf("on_failure is %q; it can be \"tempfail\", \"hold\" or \"deliver\"", c.OnFailure))
	}
	switch c.Type {
	case TypeClamd:
		errs = append(errs, c.checkClamd()...)
	case TypeHashes:
		if len(c.Address) > 0 {
			errs = append(errs, errors.New("address is set, but hashes asks nobody"))
		}
	default:
		errs = append(errs, fmt.Errorf("type is %q; it can be \"clamd\" or \"hashes\"", c.Type))
	}
	return errors.Join(errs...)
}

func (c Config) checkClamd() (errs []error) {
	if len(c.Address) == 0 {
		errs = append(errs, errors.New("address is missing; write \"unix:/path\" or \"tcp:host:port\""))
	}
	for _, a := range c.Address {
		if _, _, err := parseAddress(a); err != nil {
			errs = append(errs, err)
		}
	}
	if c.Feed != "" && c.Feed != FeedAuto && c.Feed != FeedRaw && c.Feed != FeedBoth {
		errs = append(errs, fmt.Errorf("feed is %q; it can be \"auto\", \"raw\" or \"both\"", c.Feed))
	}
	if c.Connections < 0 || c.MaxStream < 0 || c.Timeout < 0 {
		errs = append(errs, errors.New("connections, max_stream and timeout cannot be negative"))
	}
	if c.MaxStream > 0 && c.MaxStream < minStream {
		errs = append(errs, fmt.Errorf("max_stream is %v; it must be at least %v", c.MaxStream, minStream))
	}
	if len(c.Lists) > 0 {
		errs = append(errs, errors.New("lists are set, but clamd has a database of its own"))
	}
	return errs
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
