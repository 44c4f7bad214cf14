// Package geo says in which country and network a client is, by databases that the
// administrator brings.
package geo

import "github.com/milterscan/milterscan/scan/units"

// Config is the section [geo] of the configuration.
type Config struct {
	// The database that says in which country an address is, a file in MaxMind's format
	// (.mmdb) with "country.iso_code"; "" for none. It is read again when it changes.
	Country string `toml:"country"`
	// The database that says in which autonomous system an address is, with
	// "autonomous_system_number"; "" for none.
	ASN string `toml:"asn"`
}

// Check returns the errors of the section.
func (c Config) Check() error {
	var check units.Check
	if c.Country != "" {
		check.Absolute("country", c.Country, "/var/lib/GeoIP/GeoLite2-Country.mmdb")
	}
	if c.ASN != "" {
		check.Absolute("asn", c.ASN, "/var/lib/GeoIP/GeoLite2-ASN.mmdb")
	}
	return check.Err()
}
