package find

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"sort"
)

// gramSize is how many bytes of a text follow each other in a gram. Grams that begin with less are next to each other, so that
// shorter texts are found as well.
const gramSize = 4

// Bounds of grams.
const (
	mostGrams  = 8  // that are looked up for one question
	mostPieces = 4  // that are read for the grams with one beginning
	mostLooked = 64 // bytes of a text of which grams are looked up

	mostHeld = 64 << 20 // bytes of grams that are in memory while a block is made, about
	perGram  = 64       // bytes of one, apart from its list
)

// gramAt returns the gram of a text at a place. After the end there are zeros.
func gramAt(text []byte, at int) uint32 {
	if at+gramSize <= len(text) {
		return binary.BigEndian.Uint32(text[at:])
	}
	var end [gramSize]byte
	copy(end[:], text[at:])
	return binary.BigEndian.Uint32(end[:])
}

// grams collects in which records each gram turns up: of those from low to high. Senders decide how many there are, so that high
// comes down when there is no more room.
type grams struct {
	rows      int
	low, high uint32
	ids       map[uint32]int32
	lists     []gramList
	size      int // bytes, about
	room      int
}

// gramList is the records that have a gram: how many there are, the last, and the distances between them.
type gramList struct {
	gram  uint32
	count int32
	next  uint32 // the place after the last
	gaps  []byte
}

func newGrams(rows int, low uint32, room int) *grams {
	return &grams{rows: rows, low: low, high: math.MaxUint32, ids: map[uint32]int32{}, room: room}
}

// shrink leaves away the greater half of the grams if there is no room for all, and reports whether it did: the numbers of the others
// are not what they were then.
func (g *grams) shrink() bool {
	if g.size < g.room || len(g.lists) < 2 {
		return false
	}
	slices.SortFunc(g.lists, gramList.compare)
	half := len(g.lists) / 2
	g.high, g.lists = g.lists[half].gram-1, slices.Clone(g.lists[:half])
	g.ids, g.size = make(map[uint32]int32, half), 0
	for i, l := range g.lists {
		g.ids[l.gram] = int32(i)
		g.size += perGram + len(l.gaps)
	}
	return true
}

// of adds the numbers of the grams of a text with separators around it to a list.
func (g *grams) of(text []byte, list []int32) []int32 {
	for at := range len(text) - 1 {
		gram := gramAt(text, at)
		if gram < g.low || gram > g.high {
			continue
		}
		id, known := g.ids[gram]
		if !known {
			id = int32(len(g.lists))
			g.ids[gram] = id
			g.size += perGram
			g.lists = append(g.lists, gramList{gram: gram})
		}
		list = append(list, id)
	}
	return list
}

// add notes that a record has grams, by their numbers. Places come in their order.
func (g *grams) add(ids []int32, place uint32) {
	for _, id := range ids {
		if l := &g.lists[id]; l.count == 0 || l.next != place+1 {
			was := len(l.gaps)
			l.gaps = binary.AppendUvarint(l.gaps, uint64(place-l.next))
			g.size += len(l.gaps) - was
			l.next, l.count = place+1, l.count+1
		}
	}
}

// gramPiece is some of the grams: the first, how many there are, and how many bytes they take.
type gramPiece struct{ first, count, size uint32 }

func (l gramList) compare(m gramList) int { return cmp.Compare(l.gram, m.gram) }

// grams writes the grams of a field, as many at a time as there is room for: collect collects them again for each time.
func (w *hugeWriter) grams(f field, collect func(*grams) error) (pieces []gramPiece, err error) {
	for low := uint32(0); ; {
		g := newGrams(len(w.merger.rows), low, w.room)
		if err := collect(g); err != nil {
			return nil, err
		}
		if pieces = g.write(w, f, pieces); g.high == math.MaxUint32 || w.err != nil {
			return pieces, w.err
		}
		low = g.high + 1
	}
}

// write writes grams in pieces, after those that are written. A long list has one of its own.
func (g *grams) write(w *hugeWriter, f field, pieces []gramPiece) []gramPiece {
	slices.SortFunc(g.lists, gramList.compare)
	var table, lists []byte
	flush := func() {
		if len(table) == 0 {
			return
		}
		data := binary.LittleEndian.AppendUint32(nil, uint32(len(table)/perValue))
		data = append(append(data, table...), lists...)
		w.part(wide(gramsPiece, f, len(pieces)), data)
		pieces = append(pieces, gramPiece{binary.LittleEndian.Uint32(table), uint32(len(table) / perValue), uint32(len(data))})
		table, lists = table[:0], lists[:0]
	}
	for _, l := range g.lists {
		list := l.bytes(g.rows)
		if len(lists)+len(list) > w.z.Piece/2 || len(list) > w.z.Piece/8 {
			flush()
		}
		table = binary.LittleEndian.AppendUint32(table, l.gram)
		table = binary.LittleEndian.AppendUint32(table, uint32(len(lists)))
		if lists = append(lists, list...); len(list) > w.z.Piece/8 {
			flush()
		}
	}
	flush()
	return pieces
}

// bytes writes a list, as appendList does.
func (l gramList) bytes(rows int) []byte {
	if int(l.count) <= rows/8 {
		return append([]byte{asGaps}, l.gaps...)
	}
	out := make([]byte, 1+(rows+7)/8)
	out[0] = asBits
	eachGap(l.gaps, rows, func(at int) { out[1+at/8] |= 1 << (at % 8) }) // which we have written
	return out
}

// forward has the values of each record.
type forward struct {
	text   []byte
	starts []uint32
	many   []bool   // of each value: several records have it
	of     []uint64 // a place, and a value that its record has
}

func (g *forward) add(value []byte, list []uint32) {
	g.starts, g.many = append(g.starts, uint32(len(g.text))), append(g.many, len(list) > 2)
	g.text = append(append(append(g.text, separator), value...), separator)
	for _, place := range list {
		g.of = append(g.of, uint64(place)<<32|uint64(len(g.starts)-1))
	}
}

// sort is called before grams.
func (g *forward) sort() { slices.Sort(g.of) }

// grams collects those of all values.
func (g *forward) grams(out *grams) error {
	starts := append(g.starts, uint32(len(g.text)))
	known := make([][]int32, len(g.starts)) // of the values that many records have
	var ids []int32
	for _, v := range g.of {
		if out.shrink() {
			clear(known)
		}
		id := uint32(v)
		list := known[id]
		if list == nil {
			ids = out.of(g.text[starts[id]:starts[id+1]], ids[:0])
			if list = ids; g.many[id] {
				known[id] = slices.Clone(ids)
			}
		}
		out.add(list, uint32(v>>32))
	}
	return nil
}

// gramsFrom is the grams from one to another.
type gramsFrom struct {
	low, high uint32
	from, to  int  // pieces in which they are
	size      int  // bytes of their lists, about
	ends      bool // only those that end with no letter and no digit
}

// wanted returns what grams the records have that have all of some texts: the likely rarest first. Of a text that very many
// have nothing is looked up. After end there is no letter and no digit.
func (h head) wanted(texts []string, end string) (list []gramsFrom) {
	if len(end) >= gramSize-1 {
		low := gramAt([]byte(end[len(end)-gramSize+1:]), 0)
		list = append(list, gramsFrom{low: low, high: low | 0xff, ends: true})
	}
	for _, t := range texts {
		text := []byte(t[:min(len(t), mostLooked)])
		switch {
		case len(text) >= gramSize:
			for at := range len(text) - gramSize + 1 {
				list = append(list, gramsFrom{low: gramAt(text, at), high: gramAt(text, at)})
			}
		case len(text) > 0 && t != separators:
			low := gramAt(text, 0)
			list = append(list, gramsFrom{low: low, high: low | uint32(1<<(8*(gramSize-len(text)))-1)})
		}
	}
	for i := range list {
		h.place(&list[i])
	}
	list = slices.DeleteFunc(list, func(g gramsFrom) bool { return g.to-g.from > mostPieces })
	slices.SortFunc(list, func(a, b gramsFrom) int { return cmp.Or(cmp.Compare(a.size, b.size), cmp.Compare(a.low, b.low)) })
	return slices.Compact(list)
}

// place finds out in which pieces grams are.
func (h head) place(g *gramsFrom) {
	g.to = sort.Search(len(h.pieces), func(i int) bool { return h.pieces[i].first > g.high })
	g.from = max(0, sort.Search(len(h.pieces), func(i int) bool { return h.pieces[i].first > g.low })-1)
	for _, p := range h.pieces[g.from:max(g.from, g.to)] {
		few := uint32(1)
		if g.low < g.high {
			few = 8 // with one beginning, about
		}
		g.size += int(min(p.size, few*p.size/max(1, p.count)))
	}
}

// grams leaves, of some records, those that may have all of some texts in one field. It ends early when few are left, or when
// more grams would tell little.
func (a *asked) grams(h head, texts []string, end string, some set) error {
	for n, g := range h.wanted(texts, end) {
		if n == mostGrams || n > 0 && some.few() || n > 1 && g.size > a.Rows/16 {
			return nil
		}
		found := newSet(a.Rows)
		for piece := g.from; piece < g.to; piece++ {
			if err := a.part(wide(gramsPiece, h.field, piece), func(data []byte) error { return g.add(found, data, a.Rows) }); err != nil {
				return err
			}
		}
		if some.and(found); !some.any() {
			return nil
		}
	}
	return nil
}

// add adds the records of a piece that have one of the grams.
func (g gramsFrom) add(found set, data []byte, rows int) error {
	p, err := openPosting(data)
	if err != nil {
		return err
	}
	first := sort.Search(p.count, func(i int) bool { return p.start(i) >= g.low })
	for i := first; i < p.count && p.start(i) <= g.high; i++ {
		if last := rune(p.start(i) & 0xff); g.ends && ('a' <= last && last <= 'z' || '0' <= last && last <= '9') {
			continue
		}
		if err := p.visit(i, func(_ int, list []byte) error { return found.add(list, rows) }); err != nil {
			return err
		}
	}
	return nil
}
