package find

import (
	"encoding/binary"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/milterscan/milterscan/policy/keep/history"
)

// narrowWide leaves the records of a huge block that the query may let through.
func (a *asked) narrowWide(q Query) error {
	for _, s := range q.steps {
		if a.left.few() {
			return nil
		}
		if err := a.takeWide(s); err != nil {
			return err
		}
	}
	if len(q.texts) > 0 && !a.left.few() {
		h, err := a.head(subjects)
		if err == nil {
			err = a.grams(h, q.texts, "", a.left)
		}
		if err != nil {
			return err
		}
	}
	if a.left.few() {
		return nil
	}
	return a.sizes(q)
}

// head reads what there is of a field.
func (a *asked) head(f field) (h head, err error) {
	err = a.part(wide(fieldHead, f, 0), func(data []byte) error {
		h, err = openHead(f, data)
		return err
	})
	return h, err
}

// takeWide leaves the records that a step lets through.
func (a *asked) takeWide(s step) error {
	found := newSet(a.Rows)
	for _, w := range s {
		h, err := a.head(w.field)
		if err != nil {
			return err
		}
		some := append(set(nil), a.left...)
		from, to := h.within(w.literal)
		if h.grams && (!h.words || to-from > mostPieces && w.isText()) {
			err = a.grams(h, append([]string{w.literal}, w.more...), w.end, some)
		} else {
			err = a.words(h, w, some)
		}
		if err != nil {
			return err
		}
		found.or(some)
	}
	a.left.and(found)
	return nil
}

// isText reports whether grams say of values about as much as the dictionary does. They say nothing of values that are on a list, and
// little of addresses in a network.
func (w want) isText() bool {
	return len(w.literal) >= gramSize && (w.check == nil || !strings.HasPrefix(w.literal, separators))
}

// words leaves, of some records, those that have a wanted value, by the dictionary.
func (a *asked) words(h head, w want, some set) error {
	found := newSet(a.Rows)
	from, to := h.within(w.literal)
	all := from == 0 && to == len(h.firsts)
	for piece := from; piece < to; piece++ {
		wanted, err := a.look(wide(wordsPiece, h.field, piece), w)
		if err != nil {
			return err
		}
		all = all && wanted.all
		if wanted.none() {
			continue
		}
		if len(wanted.chunks) != 1 {
			return ErrDamaged
		}
		if err := a.part(wide(listsPiece, h.field, piece), func(data []byte) error {
			p, err := openPosting(data)
			if err != nil {
				return err
			}
			return p.each(wanted, 0, func(_ int, list []byte) error { return found.add(list, a.Rows) })
		}); err != nil {
			return err
		}
	}
	if !all || !h.field.everywhere() {
		some.and(found)
	}
	return nil
}

// within returns from which to below which piece of the dictionary values may be that hold a literal.
func (h head) within(literal string) (from, to int) {
	value, anchored := strings.CutPrefix(literal, separators)
	if !anchored {
		return 0, len(h.firsts)
	}
	value, _, whole := strings.Cut(value, separators)
	value = value[:min(len(value), mostFirst)]
	from = max(0, sort.Search(len(h.firsts), func(i int) bool { return string(h.firsts[i]) >= value })-1)
	to = sort.Search(len(h.firsts), func(i int) bool {
		first := string(h.firsts[i])
		return first > value && (whole || !strings.HasPrefix(first, value))
	})
	return min(from, to), to
}

// sizes leaves the records of the right size.
func (a *asked) sizes(q Query) error {
	if q.larger <= 0 && q.smaller == math.MaxInt64 {
		return nil
	}
	low, high := sized(q.larger)<<placeBits, sized(q.smaller)<<placeBits|placeMask
	firsts, err := a.numbers(wide(sizesHead, 0, 0))
	if err != nil {
		return err
	}
	if len(firsts) < 2 {
		return ErrDamaged
	}
	last, n := firsts[len(firsts)-1], len(firsts)-1
	firsts = firsts[:n]
	from := max(0, sort.Search(n, func(i int) bool { return firsts[i] > low })-1)
	to := sort.Search(n, func(i int) bool { return firsts[i] > high })
	if low > last || high < firsts[0] {
		clear(a.left)
		return nil
	}
	if to-from <= n/2 {
		found := newSet(a.Rows)
		err = a.eachSize(from, to, low, high, func(place int, in bool) { found.put(place, in) })
		a.left.and(found)
		return err
	}
	drop := func(place int, in bool) {
		if !in {
			a.left.drop(place)
		}
	}
	if low > firsts[0] {
		err = a.eachSize(0, from+1, low, high, drop)
	}
	if err == nil && high < last {
		err = a.eachSize(to-1, n, low, high, drop)
	}
	return err
}

// eachSize calls visit with the records of some pieces, and whether each is of the right size.
func (a *asked) eachSize(from, to int, low, high uint64, visit func(place int, in bool)) error {
	var parts []Part
	for piece := from; piece < to; piece++ {
		parts = append(parts, wide(sizesPiece, 0, piece))
	}
	all, err := a.columnsOf(parts)
	if err != nil {
		return err
	}
	for _, v := range slices.Concat(all...) {
		place := int(v & placeMask)
		if place >= a.Rows {
			return ErrDamaged
		}
		visit(place, v >= low && v <= high)
	}
	return nil
}

// numbers reads a column.
func (a *asked) numbers(p Part) ([]uint64, error) {
	list, err := a.columnsOf([]Part{p})
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// columnsOf reads columns.
func (a *asked) columnsOf(parts []Part) ([][]uint64, error) {
	if len(parts) == 0 {
		return nil, nil
	}
	all := make([][]uint64, len(parts))
	return all, a.several(parts, func(i int, data []byte) (err error) {
		all[i], err = readNumbers(data)
		return err
	})
}

// pieces says which rows are in which piece of a huge block.
type pieces struct {
	each   int
	firsts []Row // and the last of all
	next   int   // the piece that is to be listed next
}

// begin reads the head of the rows.
func (a *asked) begin() error {
	return a.part(wide(rowsHead, 0, 0), func(data []byte) error {
		if len(data) < 4 {
			return ErrDamaged
		}
		a.pieces.each = int(binary.LittleEndian.Uint32(data))
		for data = data[4:]; len(data) >= rowSize; data = data[rowSize:] {
			a.pieces.firsts = append(a.pieces.firsts, a.unpacked(binary.LittleEndian.Uint64(data)))
		}
		if a.pieces.each < 1 || (a.Rows+a.pieces.each-1)/a.pieces.each != len(a.pieces.firsts) {
			return ErrDamaged
		}
		a.pieces.firsts = append(a.pieces.firsts, a.Oldest)
		return nil
	})
}

// more lists the rows of the next piece in which some are left, after a place and in the span of time; none if there is none.
func (a *asked) more(q Query, after history.Cursor) (list []Row, err error) {
	if a.pieces.firsts == nil && a.left.any() {
		if err := a.begin(); err != nil {
			return nil, err
		}
	}
	for len(list) == 0 && err == nil && a.pieces.next < len(a.pieces.firsts)-1 {
		list, err = a.list(q, after, a.some(q, after))
	}
	return list, err
}

// some returns the next pieces in which some tens of rows are left, and is after them then.
func (a *asked) some(q Query, after history.Cursor) (list []int) {
	for n := 0; n < mostSoon && len(list) < mostBlocks && a.pieces.next < len(a.pieces.firsts)-1; a.pieces.next++ {
		k := a.pieces.next
		newest, oldest := a.pieces.firsts[k], a.pieces.firsts[k+1]
		if left := a.left.countIn(k*a.pieces.each, (k+1)*a.pieces.each); left > 0 && q.May(oldest.Time, newest.Time) &&
			after.Comes(oldest.Time, oldest.Key) {
			list, n = append(list, k), n+left
		}
	}
	return list
}

// list lists the rows of some pieces.
func (a *asked) list(q Query, after history.Cursor, some []int) (list []Row, err error) {
	kinds := []kind{rowsPiece}
	if q.id != 0 {
		kinds = append(kinds, idsPiece)
	}
	var parts []Part
	for _, k := range some {
		for _, of := range kinds {
			parts = append(parts, wide(of, 0, k))
		}
	}
	read, err := a.columnsOf(parts)
	for i, k := range some {
		if err != nil {
			break
		}
		var found []Row
		found, err = a.piece(q, after, k, read[i*len(kinds):][:len(kinds)])
		list = append(list, found...)
	}
	return list, err
}

// piece lists the rows of a piece, by the numbers of its parts: the rows and, where one is asked for, the Message-IDs.
func (a *asked) piece(q Query, after history.Cursor, k int, of [][]uint64) (list []Row, err error) {
	first := k * a.pieces.each
	for _, numbers := range of {
		if len(numbers) != min(a.pieces.each, a.Rows-first) {
			return nil, ErrDamaged
		}
	}
	for i, v := range of[0] {
		if !a.left.has(first+i) || q.id != 0 && of[1][i] != q.id {
			continue
		}
		if r := a.unpacked(v); after.Comes(r.Time, r.Key) && q.May(r.Time, r.Time) {
			list = append(list, r)
		}
	}
	return list, nil
}
