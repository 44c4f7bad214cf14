package find

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"

	"github.com/milterscan/milterscan/policy/keep/history"
)

// Query is a filter as blocks are asked.
type Query struct {
	steps           []step   // every one must let a record through
	phrases         []phrase // likewise
	since, before   int64
	larger, smaller int64
	id              uint64 // hash of the Message-ID; 0 for any
}

// step lets through records that have a value that one of these wants.
type step []want

// want names values of a field.
type want struct {
	field   field
	literal string                  // every wanted value holds it
	check   func(value string) bool // nil: a value that holds it is wanted
}

// NewQuery returns the query of a filter. It lets through all records that the filter lets
// through and, where a subject is asked for, some more.
func NewQuery(f history.Filter) Query {
	q := Query{steps: steps(f), phrases: phrases(f.Subject), since: math.MinInt64, before: math.MaxInt64, larger: f.Larger, smaller: f.Smaller,
		id: Hash(history.BareID(f.MessageID))}
	if !f.Since.IsZero() {
		q.since = f.Since.UnixMilli()
	}
	if !f.Before.IsZero() {
		q.before = f.Before.UnixMilli() + 1 // records of the same millisecond may be before it
	}
	if q.smaller == 0 {
		q.smaller = math.MaxInt64
	}
	return q
}

// May reports whether records received in a span of time can be wanted at all.
func (q Query) May(oldest, newest int64) bool { return newest >= q.since && oldest < q.before }

// Ask returns the records of a block, after a place, that the query lets through, the newest
// first. read calls use with a part of the block, which use does not keep.
func (q Query) Ask(s Span, after history.Cursor, read func(p Part, use func([]byte) error) error) ([]Row, error) {
	if s.Rows < 1 || s.Rows > Rows {
		return nil, ErrDamaged
	}
	a := asked{Span: s, read: read, left: newSet(s.Rows)}
	a.left.fill(s.Rows)
	if err := a.narrow(q); err != nil {
		return nil, err
	}
	return a.rows(q, after)
}

// narrow leaves the records that the query may let through, what takes least time first. It
// ends early when few are left.
func (a *asked) narrow(q Query) error {
	if err := a.columns(q); err != nil {
		return err
	}
	for _, s := range q.steps {
		if a.left.few() {
			return nil
		}
		if err := a.take(s); err != nil {
			return err
		}
	}
	if len(q.phrases) == 0 || a.left.few() {
		return nil
	}
	return a.follow(q.phrases)
}

// asked is a block while it is asked.
type asked struct {
	Span
	read func(Part, func([]byte) error) error
	left set // records that all steps so far let through
}

// part calls use with a part that is whole.
func (a *asked) part(p Part, use func([]byte) error) error {
	return a.read(p, func(data []byte) error {
		whole, err := unsealed(data)
		if err != nil {
			return err
		}
		return use(whole)
	})
}

// take leaves the records that a step lets through.
func (a *asked) take(s step) error {
	found := newSet(a.Rows)
	for _, w := range s {
		var h hits
		if err := a.part(words(w.field), func(data []byte) error {
			d, err := openDictionary(data)
			if err == nil {
				h = d.look(w)
			}
			return err
		}); err != nil {
			return err
		}
		if h.all && w.field.everywhere() {
			return nil
		}
		if err := a.posted(w.field, []hits{h}, func(_, _ int, list []byte) error { return found.add(list, a.Rows) }); err != nil {
			return err
		}
	}
	a.left.and(found)
	return nil
}

// posted calls visit with the list of every hit, and with the number of the value. n is that of
// the hits it is among, which are all of one dictionary.
func (a *asked) posted(f field, all []hits, visit func(n, id int, list []byte) error) error {
	for chunk := range all[0].chunks {
		if !slices.ContainsFunc(all, func(h hits) bool { return h.touches(chunk) }) {
			continue
		}
		if err := a.part(postings(f, chunk), func(data []byte) error {
			p, err := openPosting(data)
			for n := 0; err == nil && n < len(all); n++ {
				err = p.each(all[n], chunk, func(id int, list []byte) error { return visit(n, chunk*postingChunk+id, list) })
			}
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// columns leaves the records of the right size and Message-ID.
func (a *asked) columns(q Query) error {
	if q.larger > 0 || q.smaller < math.MaxInt64 {
		if err := a.column(PartSizes, func(v uint64) bool { return int64(v) >= q.larger && int64(v) <= q.smaller }); err != nil {
			return err
		}
	}
	if q.id != 0 {
		return a.column(PartIDs, func(v uint64) bool { return v == q.id })
	}
	return nil
}

// column leaves the records whose number in a part is wanted.
func (a *asked) column(p Part, wanted func(uint64) bool) error {
	return a.part(p, func(values []byte) error {
		if len(values) != a.Rows*rowSize {
			return ErrDamaged
		}
		for i := range a.Rows {
			if a.left.has(i) && !wanted(binary.LittleEndian.Uint64(values[i*rowSize:])) {
				a.left.drop(i)
			}
		}
		return nil
	})
}

// rows lists the records that are left, after a place and in the span of time.
func (a *asked) rows(q Query, after history.Cursor) (list []Row, err error) {
	n := 0
	for _, word := range a.left {
		n += bits.OnesCount64(word)
	}
	if n == 0 {
		return nil, nil
	}
	list = make([]Row, 0, n)
	err = a.part(PartRows, func(data []byte) error {
		if len(data) != a.Rows*rowSize {
			return ErrDamaged
		}
		for i, word := range a.left {
			for ; word != 0; word &= word - 1 {
				v := binary.LittleEndian.Uint64(data[(i*64+bits.TrailingZeros64(word))*rowSize:])
				r := a.unpacked(v)
				if after.Comes(r.Time, r.Key) && q.May(r.Time, r.Time) {
					list = append(list, r)
				}
			}
		}
		return nil
	})
	return list, err
}
