package find

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"
	"sort"
	"strings"
)

// ErrDamaged says that a block cannot be read.
var ErrDamaged = errors.New("the index is damaged")

// dictionary is the values of a field in their order, between separators. It is the part of a
// block that is read through. What the values are posted in is in other parts, of postingChunk
// values each, of which those are read in which there are hits.
type dictionary struct {
	values int
	chunks []uint32 // where the first value of each chunk begins
	text   []byte
}

// openDictionary reads what a builder has written.
func openDictionary(data []byte) (d dictionary, err error) {
	if len(data) < 4 {
		return d, ErrDamaged
	}
	d.values, data = int(binary.LittleEndian.Uint32(data)), data[4:]
	n := chunksOf(d.values)
	if n > len(data)/4 {
		return d, ErrDamaged
	}
	d.chunks, d.text = make([]uint32, n), data[4*n:]
	for i := range d.chunks {
		d.chunks[i] = binary.LittleEndian.Uint32(data[4*i:])
	}
	if len(d.text) == 0 || d.text[0] != separator || d.text[len(d.text)-1] != separator {
		return d, ErrDamaged
	}
	return d, nil
}

// chunksOf returns how many chunks some values take.
func chunksOf(values int) int { return (values + postingChunk - 1) / postingChunk }

// each calls visit for every value that holds a literal, which may begin or end with a
// separator to say that the value does. at is where the value begins.
func (d dictionary) each(literal string, visit func(at int, value []byte)) {
	wanted := []byte(literal)
	for from := 0; from < len(d.text)-1; {
		at := from + 1
		if len(wanted) > 0 {
			n := bytes.Index(d.text[from:], wanted)
			if n < 0 {
				return
			}
			at = from + n
			if d.text[at] == separator {
				at++
			} else {
				at = bytes.LastIndexByte(d.text[:at], separator) + 1
			}
		}
		end := bytes.IndexByte(d.text[at:], separator)
		if end < 0 {
			return // the last separator begins no value
		}
		visit(at, d.text[at:at+end])
		from = at + end
	}
}

// hits is the values of a dictionary that are wanted, by where they begin: some, or all from
// the first to the last.
type hits struct {
	at          []uint32
	first, last uint32 // unless first is 0, in place of at
	chunks      []uint32
	all         bool // every value of the dictionary is wanted
}

// none reports whether no value is wanted.
func (h hits) none() bool { return len(h.at) == 0 && h.first == 0 }

// look finds the values that are wanted.
func (d dictionary) look(w want) hits {
	if w.check == nil && strings.HasPrefix(w.literal, separators) && !strings.HasSuffix(w.literal, separators) {
		return d.beginning(w.literal)
	}
	h := hits{chunks: d.chunks}
	d.each(w.literal, func(at int, value []byte) {
		if w.check == nil || w.check(string(value)) {
			h.at = append(h.at, uint32(at))
		}
	})
	h.all = len(h.at) == d.values
	return h
}

// beginning finds the values that begin with a literal. They follow each other, since values
// are in their order.
func (d dictionary) beginning(literal string) hits {
	first := bytes.Index(d.text, []byte(literal))
	if first < 0 {
		return hits{chunks: d.chunks}
	}
	last := bytes.LastIndex(d.text, []byte(literal))
	end := bytes.IndexByte(d.text[last+1:], separator)
	return hits{first: uint32(first + 1), last: uint32(last + 1), chunks: d.chunks, all: first == 0 && last+1+end == len(d.text)-1}
}

// touches reports whether there are hits in a chunk.
func (h hits) touches(chunk int) bool {
	if h.first == 0 {
		return len(h.in(chunk)) > 0
	}
	return h.chunks[chunk] <= h.last && (chunk+1 == len(h.chunks) || h.chunks[chunk+1] > h.first)
}

// in returns where the hits in a chunk begin.
func (h hits) in(chunk int) []uint32 {
	from, _ := slices.BinarySearch(h.at, h.chunks[chunk])
	to := len(h.at)
	if chunk+1 < len(h.chunks) {
		to, _ = slices.BinarySearch(h.at, h.chunks[chunk+1])
	}
	return h.at[min(from, to):to]
}

// posting says, for some values of a dictionary, in which records each turns up: their number,
// where each value and its list begin, and the lists.
type posting struct {
	count int
	table []byte
	lists []byte
}

// openPosting reads what a builder has written.
func openPosting(data []byte) (p posting, err error) {
	if len(data) < 4 {
		return p, ErrDamaged
	}
	count, rest := int(binary.LittleEndian.Uint32(data)), data[4:]
	if count > len(rest)/perValue {
		return p, ErrDamaged
	}
	return posting{count, rest[:count*perValue], rest[count*perValue:]}, nil
}

// start and list return where a value and its list begin.
func (p posting) start(i int) uint32 { return binary.LittleEndian.Uint32(p.table[i*perValue:]) }
func (p posting) list(i int) uint32  { return binary.LittleEndian.Uint32(p.table[i*perValue+4:]) }

// each calls visit with the numbers of the values of a chunk that are hit, and their lists.
func (p posting) each(h hits, chunk int, visit func(id int, list []byte) error) error {
	if h.first > 0 {
		return p.between(h, visit)
	}
	id := -1
	for _, at := range h.in(chunk) {
		if id = p.after(id, at); id >= p.count || p.start(id) != at {
			return ErrDamaged
		}
		if err := p.visit(id, visit); err != nil {
			return err
		}
	}
	return nil
}

// between calls visit for the values from the first hit to the last.
func (p posting) between(h hits, visit func(id int, list []byte) error) error {
	for id := p.after(-1, h.first); id < p.count && p.start(id) <= h.last; id++ {
		if err := p.visit(id, visit); err != nil {
			return err
		}
	}
	return nil
}

// visit calls visit with the list of a value.
func (p posting) visit(id int, visit func(id int, list []byte) error) error {
	from, to := int(p.list(id)), len(p.lists)
	if id+1 < p.count {
		to = int(p.list(id + 1))
	}
	if from >= to || to > len(p.lists) {
		return ErrDamaged
	}
	return visit(id, p.lists[from:to])
}

// after returns the first value after another one that does not begin before a place.
func (p posting) after(id int, at uint32) int {
	step := 1
	for id+step < p.count && p.start(id+step) < at {
		id, step = id+step, 2*step
	}
	until := min(id+step, p.count-1)
	return id + 1 + sort.Search(until-id, func(i int) bool { return p.start(id+1+i) >= at })
}

// set is some of the records of a block, a bit for each, by their place.
type set []uint64

func newSet(rows int) set { return make(set, (rows+63)/64) }

// any reports whether there is one at all.
func (s set) any() bool { return slices.ContainsFunc(s, func(word uint64) bool { return word != 0 }) }

// few reports whether there are so few records that reading them takes less than asking on.
func (s set) few() bool { return s.count() <= 8 }

// fill adds all records.
func (s set) fill(rows int) {
	for i := range rows {
		s[i/64] |= 1 << (i % 64)
	}
}

func (s set) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }
func (s set) drop(i int)     { s[i/64] &^= 1 << (i % 64) }

// with returns the set with one more in it, for which it may have to grow.
func (s set) with(i int) set {
	for len(s) <= i/64 {
		s = append(s, 0)
	}
	s[i/64] |= 1 << (i % 64)
	return s
}

// and takes away the members that another set lacks.
func (s set) and(other set) {
	for i := range s {
		s[i] &= other[i]
	}
}

// or adds the members of another set.
func (s set) or(other set) {
	for i := range s {
		s[i] |= other[i]
	}
}

// put adds a record if it is in.
func (s set) put(i int, in bool) {
	if in {
		s[i/64] |= 1 << (i % 64)
	}
}

// countIn returns how many there are from a place to below another.
func (s set) countIn(from, to int) (n int) {
	for at := from; at < min(to, 64*len(s)); at = (at/64 + 1) * 64 {
		word := s[at/64] >> (at % 64)
		if rest := to - at; rest < 64 {
			word &= 1<<rest - 1
		}
		n += bits.OnesCount64(word)
	}
	return n
}

// count returns how many there are.
func (s set) count() (n int) {
	for _, word := range s {
		n += bits.OnesCount64(word)
	}
	return n
}

// add adds the records of a list.
func (s set) add(list []byte, rows int) error {
	if list[0] == asBits && len(list) == 1+(rows+7)/8 {
		for i, bits := range list[1:] {
			s[i/8] |= uint64(bits) << (i % 8 * 8)
		}
		return nil
	}
	return eachIn(list, rows, func(at int) { s[at/64] |= 1 << (at % 64) })
}

// eachIn calls visit with the records of a list, in their order.
func eachIn(list []byte, rows int, visit func(at int)) error {
	switch {
	case list[0] == asBits && len(list) == 1+(rows+7)/8:
		for i, some := range list[1:] {
			for ; some != 0; some &= some - 1 {
				if at := 8*i + bits.TrailingZeros8(some); at < rows {
					visit(at)
				}
			}
		}
		return nil
	case list[0] == asGaps:
		return eachGap(list[1:], rows, visit)
	}
	return ErrDamaged
}

func eachGap(list []byte, rows int, visit func(at int)) error {
	at := -1
	for len(list) > 0 {
		gap, n := uint64(list[0]), 1
		if gap >= 0x80 {
			gap, n = binary.Uvarint(list)
		}
		if n <= 0 || gap >= uint64(rows-at-1) {
			return ErrDamaged
		}
		at += int(gap) + 1
		visit(at)
		list = list[n:]
	}
	return nil
}

// places adds the records of a set to a list.
func (s set) places(to []uint32) []uint32 {
	for i, word := range s {
		for ; word != 0; word &= word - 1 {
			to = append(to, uint32(64*i+bits.TrailingZeros64(word)))
		}
	}
	return to
}
