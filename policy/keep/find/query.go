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
	texts           []string // likewise, where subjects have grams
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
	more    []string                // likewise, it holds these
	end     string                  // likewise, and this, after which there is no letter and no digit
	check   func(value string) bool // nil: a value that holds the literal is wanted
}

// NewQuery returns the query of a filter. It lets through all records that the filter lets
// through and, where a subject is asked for, some more.
func NewQuery(f history.Filter) Query {
	q := Query{steps: steps(f), phrases: phrases(f.Subject), texts: subjectTexts(f.Subject),
		since: math.MinInt64, before: math.MaxInt64, larger: f.Larger, smaller: f.Smaller, id: Hash(history.BareID(f.MessageID))}
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
func (q Query) Ask(s Span, after history.Cursor, read func(p Part, use func([]byte) error) error) (list []Row, err error) {
	a, err := q.ask(s, oneByOne(read))
	for err == nil {
		var some []Row
		if some, err = a.rows(q, after); len(some) == 0 {
			break
		}
		list = append(list, some...)
	}
	return list, err
}

// oneByOne reads parts one after the other.
func oneByOne(read func(p Part, use func([]byte) error) error) access {
	return func(list []Part, use func(i int, data []byte) error) error {
		for i, p := range list {
			if err := read(p, func(data []byte) error { return use(i, data) }); err != nil {
				return err
			}
		}
		return nil
	}
}

// ask begins to ask a block: which records are left is known then, and rows lists them.
func (q Query) ask(s Span, read access) (*asked, error) {
	a, err := whole(s, read)
	if err == nil {
		err = a.narrow(q)
	}
	return a, err
}

// whole begins with all records of a block.
func whole(s Span, read access) (*asked, error) {
	if s.Rows < 1 || s.Rows > HugeRows || s.Level < Huge && s.Rows > Rows {
		return nil, ErrDamaged
	}
	a := &asked{Span: s, read: read, left: newSet(s.Rows)}
	a.left.fill(s.Rows)
	return a, nil
}

// narrow leaves the records that the query may let through, what takes least time first. It
// ends early when few are left.
func (a *asked) narrow(q Query) error {
	if a.Level == Huge {
		return a.narrowWide(q)
	}
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
	read access
	left set // records that all steps so far let through

	listed bool   // all that are left
	pieces pieces // of a huge block
}

// part calls use with a part that is whole.
func (a *asked) part(p Part, use func([]byte) error) error {
	return a.several([]Part{p}, func(_ int, data []byte) error { return use(data) })
}

// several calls use with some parts that are whole, in any order.
func (a *asked) several(list []Part, use func(i int, data []byte) error) error {
	return a.read(list, func(i int, data []byte) error {
		whole, err := unsealed(data)
		if err != nil {
			return err
		}
		return use(i, whole)
	})
}

// take leaves the records that a step lets through.
func (a *asked) take(s step) error {
	if a.Level == Huge {
		return a.takeWide(s)
	}
	found := newSet(a.Rows)
	for _, w := range s {
		h, err := a.look(words(w.field), w)
		if err != nil {
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

// look looks a value up in a dictionary.
func (a *asked) look(dictionary Part, w want) (h hits, err error) {
	err = a.part(dictionary, func(data []byte) error {
		d, err := openDictionary(data)
		if err == nil {
			h = d.look(w)
		}
		return err
	})
	return h, err
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

// rows lists the next of the records that are left, after a place and in the span of time; none if there are no more.
func (a *asked) rows(q Query, after history.Cursor) ([]Row, error) {
	if a.Level == Huge {
		return a.more(q, after)
	}
	n := a.left.count()
	if n == 0 || a.listed {
		return nil, nil
	}
	a.listed = true
	list := make([]Row, 0, n)
	err := a.part(PartRows, func(data []byte) error {
		if len(data) != a.Rows*rowSize {
			return ErrDamaged
		}
		for i, word := range a.left {
			for ; word != 0; word &= word - 1 {
				v := binary.LittleEndian.Uint64(data[(i*64+bits.TrailingZeros64(word))*rowSize:])
				if r := a.unpacked(v); after.Comes(r.Time, r.Key) && q.May(r.Time, r.Time) {
					list = append(list, r)
				}
			}
		}
		return nil
	})
	return list, err
}
