package geo

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan"
)

// Databases are those that are configured. Any number of goroutines may use them.
type Databases struct {
	country, asn *file // nil for none
}

// Open reads the databases that c names. warn is told when one of them changes and the new
// one cannot be used: then the old one stays.
func Open(c Config, warn func(error)) (*Databases, error) {
	d := new(Databases)
	for _, one := range []struct {
		key, path string
		to        **file
	}{{"country", c.Country, &d.country}, {"asn", c.ASN, &d.asn}} {
		if one.path == "" {
			continue
		}
		f, err := openFile(one.path, warn)
		if err != nil {
			return nil, fmt.Errorf("geo.%s: %w", one.key, err)
		}
		*one.to = f
	}
	return d, nil
}

// countryRow holds the fields read from a database of countries. The country in which an address is
// used counts before that in which it is registered.
type countryRow struct {
	Country struct {
		Code string `maxminddb:"iso_code"`
	} `maxminddb:"country"`
	Registered struct {
		Code string `maxminddb:"iso_code"`
	} `maxminddb:"registered_country"`
}

// asnRow holds the fields read from a database of autonomous systems.
type asnRow struct {
	Number uint32 `maxminddb:"autonomous_system_number"`
	Name   string `maxminddb:"autonomous_system_organization"`
}

// longestName is how many bytes of the name of an autonomous system are kept.
const longestName = 80

// Place returns what the databases say about an address. What they do not say, or cannot be
// read, is empty.
func (d *Databases) Place(a netip.Addr) (p scan.Place) {
	if a = a.Unmap().WithZone(""); !a.IsValid() {
		return p
	}
	var c countryRow
	if d.country != nil && d.country.find(a, &c) {
		if p.Country = code(c.Country.Code); p.Country == "" {
			p.Country = code(c.Registered.Code)
		}
	}
	var n asnRow
	if d.asn != nil && d.asn.find(a, &n) {
		p.ASN = n.Number
		p.Network = strings.ToValidUTF8(n.Name[:min(len(n.Name), longestName)], "")
	}
	return p
}

// code returns a country's two letters, "" for anything else.
func code(s string) string {
	if len(s) != 2 || s[0] < 'A' || s[0] > 'Z' || s[1] < 'A' || s[1] > 'Z' {
		return ""
	}
	return s
}

// Health is the state of one database.
type Health struct {
	File  string
	Type  string    // as it calls itself
	Built time.Time // when it was made
	Old   bool      // so long ago that many addresses have moved
}

// Health returns the state of all databases.
func (d *Databases) Health() (list []Health) {
	for _, f := range []*file{d.country, d.asn} {
		if f == nil {
			continue
		}
		m := f.current().Metadata
		built := time.Unix(int64(m.BuildEpoch), 0)
		list = append(list, Health{f.path, m.DatabaseType, built, f.now().Sub(built) > grownOld})
	}
	return list
}
