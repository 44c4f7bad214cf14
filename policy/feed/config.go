// Package feed keeps lists of hosts, URLs, hashes and networks that others publish: it fetches
// them, takes none that is not what it should be, and keeps the last good one across restarts.
package feed

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan/format/listing"
	"github.com/milterscan/milterscan/scan/units"
)

// Config is one [[feed]] entry of the configuration.
type Config struct {
	// What findings call the list: small letters, digits and hyphens.
	Name string `toml:"name" example:"\"urlhaus\""`
	// Where it is fetched, by https; by http from this host only.
	URL string `toml:"url" example:"\"https://lists.example.com/hosts.txt\""`
	// What it lists: "hosts", each with all below it, or "urls", for the links of messages;
	// "hashes" of files (MD5, SHA-1, SHA-256); "networks" of clients.
	Kind listing.Kind `toml:"kind" example:"\"hosts\""`
	// How it is written: "plain", an entry on each line; "csv"; "hosts", as /etc/hosts.
	Format listing.Format `toml:"format"`
	// The column of "csv" that has the entries; the first is 1.
	Column int `toml:"column"`
	// What is between the columns of "csv": one sign, "\t" for tabs.
	Separator string `toml:"separator"`
	// How often it is fetched, at least every 5 minutes apart.
	Interval units.Duration `toml:"interval"`
	// How long fetching may take.
	Timeout units.Duration `toml:"timeout"`
	// A list that is larger is not taken.
	MaxSize units.Size `toml:"max_size"`
	// The key of a publisher who signs the list: "minisign:RWQ…". The signature is fetched
	// from the same place with ".minisig" added. A list that is older than the last one,
	// or not signed by this key, is not taken.
	Signature string `toml:"signature" example:"\"minisign:RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\""`
	// The hash of a list that never changes, in hexadecimal: another one is not taken.
	SHA256 string `toml:"sha256" example:"\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\""`
	// What a finding adds to the score of the message.
	Score float64 `toml:"score"`
}

// SetDefaults gives c the values of an entry with nothing but a name, a URL and a kind.
func (c *Config) SetDefaults() {
	*c = Config{Format: listing.Plain, Column: 1, Separator: ",", Interval: units.Duration(time.Hour), Timeout: units.Duration(time.Minute),
		MaxSize: 64 * units.MB}
}

// Bounds of what an administrator may ask for.
const (
	shortest = 5 * time.Minute
	largest  = 512 * units.MB
)

var nameOfFeed = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// Check returns the errors in the entry.
func (c Config) Check() error {
	var check units.Check
	check.If(!nameOfFeed.MatchString(c.Name), "name",
		"%q is no name of a feed; write small letters, digits and hyphens, such as \"urlhaus\"", c.Name)
	check.If(!fetchable(c.URL), "url",
		"%q is no place of a list; write one such as \"https://lists.example.com/hosts.txt\"; by http only this host is asked", c.URL)
	check.If(c.Kind == "", "kind", "it is needed; it can be %s",
		units.Words([]listing.Kind{listing.Hosts, listing.URLs, listing.Hashes, listing.Networks}))
	check.If(c.Format == listing.HostFile && c.Kind != listing.Hosts, "format",
		"files of hosts list no %s; write \"plain\" or \"csv\"", c.Kind)
	check.If(c.Column < 1 || c.Column > 1000, "column", "%d is no column; the first is 1", c.Column)
	check.If(len(c.Separator) != 1 || c.Separator == `"`, "separator", "%q is no separator; write one sign, such as \";\"", c.Separator)
	check.If(c.Interval.Go() < shortest, "interval", "%v is too often; write at least \"5m\", such as \"1h\"", c.Interval)
	check.If(c.Timeout.Go() < time.Second || c.Timeout.Go() > time.Hour, "timeout",
		"%v is not between 1s and 1h; write one such as \"1m\"", c.Timeout)
	check.If(c.MaxSize < units.KB || c.MaxSize > largest, "max_size",
		"%v is not between 1KB and %v; write one such as \"64MB\"", c.MaxSize, largest)
	check.If(c.SHA256 != "" && !isHash(c.SHA256), "sha256", "%q is no SHA-256; write its 64 hexadecimal digits", c.SHA256)
	check.If(c.SHA256 != "" && c.Signature != "", "sha256", "a list that never changes needs no signature; leave one of both out")
	if _, err := c.key(); err != nil {
		check.Wrong("signature", "%v", err)
	}
	return check.Err()
}

func isHash(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == sha256.Size
}

// fetchable reports whether a list may be fetched from a place.
func fetchable(place string) bool {
	u, err := url.Parse(place)
	return err == nil && u.Host != "" && u.User == nil && u.Fragment == "" &&
		(u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname()))
}

func isLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.Unmap().IsLoopback()
}

// syntax says how the list is read.
func (c Config) syntax() listing.Syntax {
	return listing.Syntax{Kind: c.Kind, Format: c.Format, Column: c.Column, Separator: c.Separator[0]}
}

// fingerprint tells feeds apart: what one has had is nothing that another has.
func (c Config) fingerprint() string {
	text, _ := json.Marshal([]any{c.URL, c.syntax(), strings.TrimSpace(c.Signature), strings.ToLower(c.SHA256)}) // cannot fail
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
