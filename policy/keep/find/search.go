package find

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// Fetch returns the JSON of a record, nil if it is not there any more. The caller may want those of soon next, in this order.
type Fetch func(ctx context.Context, at Row, soon func() []Row) ([]byte, error)

// Source is some of the records, newest first.
type Source struct {
	Top  Row                                  // no record that is left is newer
	Rows []Row                                // that may be wanted, as far as they are known
	Load func(context.Context) ([]Row, error) // finds the next rows; nil when there are no more

	known func() []Row // those that Load has found before it is called
}

// Search makes one page of what a filter finds, from sources that a store adds.
type Search struct {
	Filter history.Filter
	Fetch  Fetch
	Read   ReadParts
	Oldest int64 // when the oldest record was received: blocks may name records that have expired
	Ahead  bool  // later blocks are asked together with one, the more, the more have been asked

	query   Query
	matches func(policy.Record) bool
	after   history.Cursor
	begun   time.Time
	sources []*Source
	blocks  []*candidate // that are not asked yet, the newest first
	pace    int          // of them that are asked together
}

// candidate is a block that may have wanted records.
type candidate struct {
	Span
	all    func(context.Context) ([]Row, error) // lists its records
	source *Source
	asked  *asked
	rows   []Row // the first that were found
	err    error
}

// NewSearch begins a search for what comes after a place.
func NewSearch(f history.Filter, after history.Cursor) *Search {
	return &Search{Filter: f, query: NewQuery(f), matches: f.Matcher(), after: after, begun: time.Now(),
		Oldest: math.MinInt64}
}

// Start returns the place of the newest record that may be wanted.
func (s *Search) Start() Row {
	if s.after.IsZero() {
		return Row{Time: math.MaxInt64, Key: math.MaxInt64 - 1}
	}
	return Row{Time: s.after.Time, Key: s.after.Key - 1}
}

// Add adds records that are in no block.
func (s *Search) Add(c *Source) { s.sources = append(s.sources, c) }

// Wants reports whether a block may have wanted records.
func (s *Search) Wants(b Span) bool {
	return s.after.Comes(b.Oldest.Time, b.Oldest.Key) && b.Newest.Time >= s.Oldest &&
		s.query.May(b.Oldest.Time, b.Newest.Time)
}

// AddBlock adds the records of a block, if it may have wanted ones. One that is damaged is not asked: all lists its
// records.
func (s *Search) AddBlock(b Span, all func(context.Context) ([]Row, error)) {
	if !s.Wants(b) {
		return
	}
	one := &candidate{Span: b, all: all}
	one.source = &Source{Top: b.Newest, Load: func(ctx context.Context) ([]Row, error) { return s.load(ctx, one) }}
	one.source.known = func() []Row { return one.rows }
	s.blocks = append(s.blocks, one)
	s.Add(one.source)
}

// load asks a block for its first rows, and some later ones with it.
func (s *Search) load(ctx context.Context, b *candidate) ([]Row, error) {
	if b.asked == nil && b.err == nil {
		if err := s.ask(ctx, b); err != nil {
			return nil, err
		}
	}
	return s.loaded(ctx, b, b.rows, b.err)
}

// loaded has a block list more rows when these are done. Of one that is damaged all are listed.
func (s *Search) loaded(ctx context.Context, b *candidate, rows []Row, err error) ([]Row, error) {
	if errors.Is(err, ErrDamaged) {
		return b.all(ctx)
	}
	if err == nil && len(rows) > 0 && b.Level == Huge {
		b.source.Load = func(ctx context.Context) ([]Row, error) {
			var more []Row
			one := &asking{block: b.First, do: func(read access) (err error) {
				b.asked.read = read
				more, err = b.asked.rows(s.query, s.after)
				return err
			}}
			if err := together(ctx, s.Read, []*asking{one}); err != nil {
				return nil, err
			}
			if errors.Is(one.err, ErrDamaged) {
				return s.rest(ctx, b)
			}
			return s.loaded(ctx, b, more, one.err)
		}
	}
	return rows, err
}

// rest lists the records of a block after those that were listed before it turned out to be damaged.
func (s *Search) rest(ctx context.Context, b *candidate) ([]Row, error) {
	rows, err := b.all(ctx)
	return slices.DeleteFunc(rows, func(r Row) bool { return r.Later(b.source.Top) < 0 }), err
}

// ask asks a block, and some later ones together with it.
func (s *Search) ask(ctx context.Context, b *candidate) error {
	slices.SortStableFunc(s.blocks, func(a, b *candidate) int { return a.Newest.Later(b.Newest) })
	at := slices.Index(s.blocks, b)
	later := s.blocks[at:]
	spans := make([]Span, len(later))
	for i, one := range later {
		spans[i] = one.Span
	}
	if s.pace = min(2*s.pace, mostBlocks); s.pace == 0 || !s.Ahead {
		s.pace = 1
	}
	later = later[:some(spans, s.pace)]
	var all []*asking
	for _, one := range later {
		all = append(all, &asking{block: one.First, do: func(read access) error {
			one.asked, one.err = s.query.ask(one.Span, read)
			if one.err == nil {
				one.rows, one.err = one.asked.rows(s.query, s.after)
			}
			return one.err
		}})
	}
	err := together(ctx, s.Read, all)
	s.blocks = slices.Delete(s.blocks, at, at+len(later))
	return err
}

// Page merges the sources until the page is full.
func (s *Search) Page(ctx context.Context) (p history.Page, err error) {
	var last Row
	for {
		from := s.newest()
		if from == nil {
			return p, nil
		}
		if next := (history.Cursor{Time: from.Top.Time, Key: from.Top.Key + 1}); s.late() &&
			s.after.Comes(next.Time, next.Key) {
			p.Next, p.Early = next, true
			return p, nil
		}
		if len(from.Rows) == 0 {
			if err := from.more(ctx); err != nil {
				return p, err
			}
			continue
		}
		at := from.Rows[0]
		r, ok, err := s.record(ctx, at, func() []Row { return s.soon(from) })
		switch {
		case err != nil:
			return p, err
		case ok && len(p.Records) == s.Filter.Size():
			p.Next = history.Cursor{Time: last.Time, Key: last.Key}
			return p, nil
		case ok:
			p.Records, last = append(p.Records, r), at
		}
		from.take()
	}
}

// mostSoon is how many rows are told that may be wanted soon.
const mostSoon = 128

// soon returns the rows that come after the first one of a source: those of others too, as far as they are known.
func (s *Search) soon(from *Source) []Row {
	rows := from.Rows[1:]
	if len(rows) >= mostSoon {
		return rows
	}
	rows = slices.Clone(rows)
	others := slices.DeleteFunc(slices.Clone(s.sources), func(c *Source) bool { return c == from })
	slices.SortFunc(others, func(a, b *Source) int { return a.Top.Later(b.Top) })
	for _, c := range others {
		known := c.Rows
		if len(known) == 0 && c.known != nil {
			known = c.known()
		}
		if rows = append(rows, known[:min(len(known), mostSoon)]...); len(rows) >= mostSoon {
			break
		}
	}
	return rows
}

// late reports whether the patience is over.
func (s *Search) late() bool { return s.Filter.Patience > 0 && time.Since(s.begun) > s.Filter.Patience }

// newest returns the source that may have the newest record left, nil if none has any.
func (s *Search) newest() *Source {
	s.sources = slices.DeleteFunc(s.sources, func(c *Source) bool { return len(c.Rows) == 0 && c.Load == nil })
	if len(s.sources) == 0 {
		return nil
	}
	return slices.MinFunc(s.sources, func(a, b *Source) int {
		return cmp.Or(a.Top.Later(b.Top), cmp.Compare(len(a.Rows), len(b.Rows)))
	})
}

// more lets a source find its next rows.
func (c *Source) more(ctx context.Context) error {
	load := c.Load
	c.Load, c.known = nil, nil
	rows, err := load(ctx)
	if err != nil {
		return err
	}
	if c.Rows = rows; len(rows) > 0 {
		c.Top = rows[0]
	}
	return nil
}

// take goes on to the next row.
func (c *Source) take() {
	last := c.Rows[0]
	c.Rows = c.Rows[1:]
	c.Top = Row{Time: last.Time, Key: last.Key - 1}
	if len(c.Rows) > 0 {
		c.Top = c.Rows[0]
	}
}

// May reports whether a record may be wanted: it has not expired, is of the time, and on no earlier page.
func (s *Search) May(at Row) bool {
	return s.after.Comes(at.Time, at.Key) && at.Time >= s.Oldest && s.query.May(at.Time, at.Time)
}

// record reads a record, and reports whether it is there and wanted.
func (s *Search) record(ctx context.Context, at Row, soon func() []Row) (r policy.Record, ok bool, err error) {
	if !s.May(at) {
		return r, false, nil
	}
	text, err := s.Fetch(ctx, at, soon)
	if err != nil || text == nil {
		return r, false, err
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, false, err
	}
	r.Upgrade()
	return r, s.matches(r), nil
}
