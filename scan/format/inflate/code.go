package inflate

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// An entry of a table says how many bits a symbol takes, what it is, how many bits more
// there are to it, and its value or, of a link, where the table goes on. No symbol is 0.
const (
	sizeOf  = 0x0f
	kinds   = 0x30
	isLink  = 0x00
	literal = 0x10
	match   = 0x20
	stop    = 0x30
	extraAt = 8
	extras  = 0x0f
	valueAt = 16

	longestCode = 15
)

// How many bits the first table of a code goes by, at most.
const (
	primarySize     = 7
	primaryLength   = 10
	primaryDistance = 8
)

// code is a code of Huffman's as a table, and others after it for symbols of more bits than
// it goes by.
type code struct {
	table []uint32
	first uint   // bits the first table goes by
	mask  uint64 // of the first
}

// look returns the entry for the symbol that bits begin with.
func (c *code) look(b uint64) uint32 {
	e := c.table[b&c.mask]
	if e&kinds == isLink && e != 0 {
		e = c.table[uint64(e>>valueAt)+b>>c.first&(1<<(e>>extraAt&extras)-1)]
	}
	return e
}

// make makes the table of a code from the sizes of its symbols, section 3.2.2. It reports whether
// they are those of a code: none at all is one, and a single symbol of one bit.
func (c *code) make(sizes []uint8, entries []uint32, primary uint) bool {
	var count, next [longestCode + 1]int
	largest := uint(0)
	for i := skipped(sizes, 0); i < len(sizes); i = skipped(sizes, i+1) {
		count[sizes[i]]++
		largest = max(largest, uint(sizes[i]))
	}
	count[0] = 0
	place := 0
	for n := 1; n <= int(largest); n++ {
		place = (place + count[n-1]) << 1
		next[n] = place
	}
	used := place + count[largest]
	if used != 1<<largest && (used > 1 || largest > 1) {
		return false
	}
	c.first = max(1, min(primary, largest))
	c.mask = 1<<c.first - 1
	c.table = slices.Grow(c.table[:0], 1<<c.first)[:1<<c.first]
	switch {
	case largest < 2:
		clear(c.table)
	case largest > c.first:
		c.links(sizes, next)
	}
	for i := skipped(sizes, 0); i < len(sizes); i = skipped(sizes, i+1) {
		if n := sizes[i]; n > 0 {
			c.put(reversed(next[n], n), uint(n), entries[i])
			next[n]++
		}
	}
	return true
}

// skipped returns the first symbol from i on that may be used: eight that are not are passed at once.
func skipped(sizes []uint8, i int) int {
	for i+8 <= len(sizes) && binary.LittleEndian.Uint64(sizes[i:]) == 0 {
		i += 8
	}
	return i
}

// reversed returns the n bits of a code as they are read.
func reversed(code int, n uint8) uint { return uint(bits.Reverse16(uint16(code)) >> (16 - n)) }

// links makes the other tables, each as large as the longest symbol in it wants. Next are the first
// codes of each size.
func (c *code) links(sizes []uint8, next [longestCode + 1]int) {
	clear(c.table)
	var longer [1 << primaryLength]uint8
	for _, n := range sizes {
		if uint(n) > c.first {
			from := reversed(next[n], n) & uint(c.mask)
			longer[from] = max(longer[from], n-uint8(c.first))
		}
		next[n]++
	}
	for from, n := range longer[:1<<c.first] {
		if n > 0 {
			at := len(c.table)
			c.table[from] = isLink | uint32(at)<<valueAt | uint32(n)<<extraAt
			c.table = slices.Grow(c.table, 1<<n)[:at+1<<n]
		}
	}
}

// put writes the entry of a symbol of n bits.
func (c *code) put(b, n uint, entry uint32) {
	if entry != 0 {
		entry |= uint32(n)
	}
	table := c.table[:1<<c.first]
	if n > c.first {
		link := table[b&uint(c.mask)]
		table = c.table[link>>valueAt:][:1<<(link>>extraAt&extras)]
		b, n = b>>c.first, n-c.first
	}
	for i := b; i < uint(len(table)); i += 1 << n {
		table[i] = entry
	}
}

// The entries of symbols: code lengths, literals and lengths, and distances (sections 3.2.5 and
// 3.2.7). Those that mean nothing are 0.
var (
	sizeEntries     = literals(19)
	lengthEntries   = append(append(literals(256), stop), spans(3, 4, 28, 258)...)
	distanceEntries = spans(1, 2, 30, 0)
)

func literals(n int) []uint32 {
	var all []uint32
	for i := range uint32(n) {
		all = append(all, literal|i<<valueAt)
	}
	return all
}

// spans returns n symbols for numbers from base on, the first of which are for one, and then so many
// each for 2, 4, and so on; and one for the number last, if there is one.
func spans(base, each, n int, last uint32) []uint32 {
	var all []uint32
	for i := range n {
		extra := max(0, i/each-1)
		all = append(all, match|uint32(extra)<<extraAt|uint32(base)<<valueAt)
		base += 1 << extra
	}
	if last > 0 {
		all = append(all, match|last<<valueAt)
	}
	return append(all, 0, 0)
}

// The codes of blocks that bring none, section 3.2.6.
var fixedLengths, fixedDistances = func() (l, d *code) {
	l, d = new(code), new(code)
	var sizes [288]uint8
	for i := range sizes {
		switch {
		case i < 144:
			sizes[i] = 8
		case i < 256:
			sizes[i] = 9
		case i < 280:
			sizes[i] = 7
		default:
			sizes[i] = 8
		}
	}
	l.make(sizes[:], lengthEntries, primaryLength)
	for i := range 32 {
		sizes[i] = 5
	}
	d.make(sizes[:32], distanceEntries, primaryDistance)
	return l, d
}()
