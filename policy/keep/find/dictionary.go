package find

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/bits"
	"sort"
)

// ErrDamaged says that a block cannot be read.
var ErrDamaged = errors.New("the index is damaged")

// dictionary is the values of a field, as they are kept: their number, where each value and
// its postings begin, and the values themselves between separators.
type dictionary struct {
	count int
	table []byte
	text  []byte
}

// openDictionary reads what a builder has written.
func openDictionary(data []byte) (d dictionary, err error) {
	if len(data) < 4 {
		return d, ErrDamaged
	}
	count, rest := int(binary.LittleEndian.Uint32(data)), data[4:]
	if count > (len(rest)-1)/perValue {
		return d, ErrDamaged
	}
	return dictionary{count, rest[:count*perValue], rest[count*perValue:]}, nil
}

// start and posted return where a value and its postings begin.
func (d dictionary) start(i int) int  { return int(binary.LittleEndian.Uint32(d.table[i*perValue:])) }
func (d dictionary) posted(i int) int { return int(binary.LittleEndian.Uint32(d.table[i*perValue+4:])) }

// span returns where a value begins and ends.
func (d dictionary) span(i int) (from, to int, err error) {
	from, to = d.start(i), len(d.text)-1
	if i+1 < d.count {
		to = d.start(i+1) - 1
	}
	if from < 1 || from > to || to >= len(d.text) {
		return 0, 0, ErrDamaged
	}
	return from, to, nil
}

// each calls visit for every value that holds a literal, which may begin or end with a
// separator to say that the value does.
func (d dictionary) each(literal string, visit func(i int, value []byte)) error {
	if literal == "" {
		return d.all(visit)
	}
	wanted := []byte(literal)
	for at, i := 0, 0; ; {
		n := bytes.Index(d.text[at:], wanted)
		if n < 0 {
			return nil
		}
		at += n
		if i = d.owner(at, i); i < 0 {
			return ErrDamaged
		}
		from, to, err := d.span(i)
		if err != nil || to <= at {
			return ErrDamaged
		}
		visit(i, d.text[from:to])
		at = to
	}
}

// owner returns the value that a place in the text belongs to, as does the separator before
// a value: number from or a later one.
func (d dictionary) owner(at, from int) int {
	step := 1
	for from+step < d.count && d.start(from+step)-1 <= at {
		from, step = from+step, 2*step
	}
	until := min(from+step, d.count)
	return from + sort.Search(until-from, func(i int) bool { return d.start(from+i)-1 > at }) - 1
}

func (d dictionary) all(visit func(i int, value []byte)) error {
	for i := range d.count {
		from, to, err := d.span(i)
		if err != nil {
			return err
		}
		visit(i, d.text[from:to])
	}
	return nil
}

// hit is a value that is wanted, and where its postings are.
type hit struct{ id, from, to int }

// hits lists the values that are wanted.
func (d dictionary) hits(w want) (list []hit, err error) {
	err = d.each(w.literal, func(i int, value []byte) {
		if w.check != nil && !w.check(string(value)) {
			return
		}
		h := hit{i, d.posted(i), -1}
		if i+1 < d.count {
			h.to = d.posted(i + 1)
		}
		list = append(list, h)
	})
	return list, err
}

// set is some of the records of a block, a bit for each, by their place.
type set []uint64

func newSet(rows int) set { return make(set, (rows+63)/64) }

// few reports whether there are so few records that reading them takes less than asking on.
func (s set) few() bool {
	n := 0
	for _, word := range s {
		n += bits.OnesCount64(word)
	}
	return n <= 8
}

// fill adds all records.
func (s set) fill(rows int) {
	for i := range rows {
		s[i/64] |= 1 << (i % 64)
	}
}

func (s set) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }
func (s set) put(i int)      { s[i/64] |= 1 << (i % 64) }
func (s set) drop(i int)     { s[i/64] &^= 1 << (i % 64) }

// and takes away what is not in another set too.
func (s set) and(other set) {
	for i := range s {
		s[i] &= other[i]
	}
}

// addAll adds the records of values.
func (s set) addAll(hits []hit, postings []byte, rows int) error {
	for _, h := range hits {
		if h.to < 0 {
			h.to = len(postings)
		}
		if h.from >= h.to || h.to > len(postings) {
			return ErrDamaged
		}
		if err := s.add(postings[h.from:h.to], rows); err != nil {
			return err
		}
	}
	return nil
}

// add adds the records of a list.
func (s set) add(list []byte, rows int) error {
	switch {
	case list[0] == asBits && len(list) == 1+(rows+7)/8:
		for i, bits := range list[1:] {
			s[i/8] |= uint64(bits) << (i % 8 * 8)
		}
		return nil
	case list[0] == asGaps:
		return s.addGaps(list[1:], rows)
	}
	return ErrDamaged
}

func (s set) addGaps(list []byte, rows int) error {
	at := -1
	for len(list) > 0 {
		gap, n := binary.Uvarint(list)
		if n <= 0 || gap >= uint64(rows-at-1) {
			return ErrDamaged
		}
		at += int(gap) + 1
		s[at/64] |= 1 << (at % 64)
		list = list[n:]
	}
	return nil
}
