package inflate

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// An entry of a table says how many bits a symbol takes, those of its number included, how many of them its code
// takes, what it is, and its value. Of a link, it says where the table goes on, and by how many bits.
const (
	bitsOfAll = 0x3f // in the place where a shift wants it
	codeAt    = 8
	codeBits  = 0x0f
	valueAt   = 16

	literal = 1 << 31
	special = 1 << 15 // none of those that are most: without more, no symbol at all
	link    = special | 1<<14
	stop    = special | 1<<13

	longestCode = 15
)

// How many bits the first table of a code goes by.
const (
	primarySize     = 7
	primaryLength   = 10
	primaryDistance = 8
)

// code is a code of Huffman's as a table, and others after it for symbols of more bits than it goes by.
type code struct {
	table   []uint32
	primary int // bits the first table goes by
	spread  int // entries that took work: those that differ

	count  [longestCode + 1]int // of symbols of each size, while the table is made
	sorted [mostSymbols]uint16  // these symbols
}

const mostSymbols = 288

// look returns the entry for the symbol that b begins with.
func (c *code) look(b uint64) uint32 {
	e := c.table[b&(1<<c.primary-1)]
	if e&link == link {
		e = c.linked(e, b)
	}
	return e
}

// linked returns the entry to which a link leads.
func (c *code) linked(e uint32, b uint64) uint32 {
	return c.table[uint64(e>>valueAt)+b>>c.primary&(1<<(e>>codeAt&codeBits)-1)]
}

// make makes the table of a code from the sizes of its symbols, section 3.2.2. It reports whether
// they are those of a code: none at all is one, and a single symbol of one bit.
func (c *code) make(sizes []uint8, entries []uint32, primary int) bool {
	c.sort(sizes)
	largest, used := 0, 0
	for n, many := range c.count {
		if used += many << (longestCode - n); many > 0 {
			largest = n
		}
	}
	if used != 1<<longestCode && (used > 1<<(longestCode-1) || largest > 1) {
		return false
	}
	c.primary, c.spread = primary, 1<<min(primary, largest)
	c.table = slices.Grow(c.table[:0], 1<<primary)[:1<<primary]
	c.fill(entries, largest)
	return true
}

// sort counts the symbols of each size, and puts them in the order of their codes.
func (c *code) sort(sizes []uint8) {
	c.count = [longestCode + 1]int{}
	for i := skipped(sizes, 0); i < len(sizes); i = skipped(sizes, i+1) {
		c.count[sizes[i]&longestCode]++
	}
	c.count[0] = 0
	var next [longestCode + 1]int
	for n := 1; n < longestCode; n++ {
		next[n+1] = next[n] + c.count[n]
	}
	for i := skipped(sizes, 0); i < len(sizes); i = skipped(sizes, i+1) {
		if n := sizes[i] & longestCode; n > 0 {
			c.sorted[next[n]] = uint16(i)
			next[n]++
		}
	}
}

// skipped returns the first symbol from i on that may be used: eight that are not are passed at once.
func skipped(sizes []uint8, i int) int {
	for i+8 <= len(sizes) && binary.LittleEndian.Uint64(sizes[i:]) == 0 {
		i += 8
	}
	return i
}

// fill writes the entries of the symbols, the shortest first: what the table has for so many bits, it has twice
// for one bit more.
func (c *code) fill(entries []uint32, largest int) {
	code, done := 0, 0
	c.table[0] = special
	for n := 1; n <= c.primary; n++ {
		copy(c.table[1<<(n-1):1<<n], c.table)
		for _, symbol := range c.sorted[done:][:c.count[n]] {
			c.table[code] = entryOf(entries[symbol], n)
			code = after(code, n)
		}
		done += c.count[n]
	}
	var other []uint32
	for n, from := c.primary+1, -1; n <= largest; n++ {
		for ; c.count[n] > 0; c.count[n]-- {
			if place := code & (1<<c.primary - 1); place != from {
				from, other = place, c.link(place, n)
			}
			for at := code >> c.primary; at < len(other); at += 1 << (n - c.primary) {
				other[at] = entryOf(entries[c.sorted[done]], n)
			}
			code = after(code, n)
			done++
		}
	}
}

// link adds another table, for symbols of n bits and more with the same first bits.
func (c *code) link(place, n int) []uint32 {
	begin, more := len(c.table), n-c.primary
	for used := c.count[n]; used < 1<<more; used = used<<1 + c.count[n] {
		more++
		n++
	}
	c.table[place] = link | uint32(begin)<<valueAt | uint32(more)<<codeAt
	c.table = slices.Grow(c.table, 1<<more)[:begin+1<<more]
	c.spread += 1 << more
	return c.table[begin:]
}

// entryOf returns the entry of a symbol with a code of n bits.
func entryOf(entry uint32, n int) uint32 { return entry + uint32(n)*(1+1<<codeAt) }

// after returns the code of n bits that comes after another one. Both are as they are read: the first bit is the lowest.
func after(code, n int) int {
	one := 1 << bits.Len(uint(^code&(1<<n-1))) >> 1
	return code&(one-1) | one
}

// The entries of symbols: code lengths, literals and lengths, and distances (sections 3.2.5 and
// 3.2.7), without the bits of their codes.
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
// each for 2, 4, and so on; and one for the number last, if there is one. Two more mean nothing.
func spans(base, each, n int, last uint32) []uint32 {
	var all []uint32
	for i := range n {
		extra := max(0, i/each-1)
		all = append(all, uint32(extra)|uint32(base)<<valueAt)
		base += 1 << extra
	}
	if last > 0 {
		all = append(all, last<<valueAt)
	}
	return append(all, special, special)
}

// The codes of blocks that bring none, section 3.2.6.
var fixedLengths, fixedDistances = func() (l, d *code) {
	l, d = new(code), new(code)
	var sizes [mostSymbols]uint8
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
