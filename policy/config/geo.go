package config

import "fmt"

// systems checks numbers of autonomous systems.
func (b *binder) systems(path string, list []int64) []uint32 {
	numbers := make([]uint32, 0, len(list))
	for i, n := range list {
		if n < 1 || n > 1<<32-1 {
			b.wrong(fmt.Sprintf("%s[%d]", path, i), "%d is no number of an autonomous system; write one from 1 to %d", n, uint32(1<<32-1))
			continue
		}
		numbers = append(numbers, uint32(n))
	}
	return numbers
}

// placeNotes returns a note for each rule that goes by where the client is while no database
// says that.
func (c *Config) placeNotes() (notes Problems) {
	for _, r := range c.allOwn() {
		if len(r.Country) > 0 && c.Geo.Country == "" {
			notes = append(notes, note(r.origin, "rule", "%q never matches: no database says in which country clients are; set geo.country", r.Name))
		}
		if len(r.ASN) > 0 && c.Geo.ASN == "" {
			notes = append(notes, note(r.origin, "rule", "%q never matches: no database says in which network clients are; set geo.asn", r.Name))
		}
	}
	return notes
}
