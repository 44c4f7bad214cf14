package unpack

import (
	"fmt"
	"slices"

	"github.com/milterscan/milterscan/scan"
)

const (
	nameBytes = 4 << 20 // of the names of all parts of a message, as they are
	shortName = 64      // what further ones are cut to
)

// named returns the names of a part as they are kept: matching patterns against
// names must not cost members times their longest name. Once there is no more
// room, that is the beginning and the end of each.
func (w *work) named(names []string) []string {
	for _, n := range names {
		w.nameBytes += len(n)
	}
	if w.nameBytes <= nameBytes {
		return names
	}
	w.once(scan.Unscannable, "names-size", fmt.Sprintf("more than %d bytes", nameBytes))
	short := slices.Clone(names)
	for i, n := range short {
		short[i] = shortened(n, shortName)
	}
	return short
}
