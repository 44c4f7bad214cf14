package unpack

import (
	"fmt"
	"slices"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
)

const (
	nameBytes = 4 << 20 // of the names of all parts of a message, as they are
	shortName = 64      // what further ones are cut to
)

// priceName is what a byte of a name takes, here and wherever names are judged: in each way that
// a program may read them, with all that patterns say about them.
const priceName archive.Price = 25_000

// named returns the names of a part as they are kept: matching patterns against
// names must not cost members times their longest name. Once there is no more
// room, that is the beginning and the end of each.
func (w *work) named(names []string) []string {
	all := 0
	for _, n := range names {
		all += len(n)
	}
	w.nameBytes += all
	w.budget.Work(int64(all), priceName)
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
