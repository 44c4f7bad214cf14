package dmarc

import (
	"strings"

	"github.com/milterscan/milterscan/scan/format/markup"
)

// organization returns the domain under which it is counted how many reports a destination gets. All hosts of an
// organisation count together: who has a zone can have hosts by the thousand in it, and agree for each to
// reports about any domain, by one record with a wildcard.
func (d Destination) organization() string {
	_, host, _ := strings.Cut(d.Address, "@")
	return markup.Registrable(markup.Hostname(host))
}
