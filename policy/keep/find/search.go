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

// Fetch returns the JSON of a record, nil if it is not there any more. The caller may want soon next, in this order.
type Fetch func(ctx context.Context, at Row, soon []Row) ([]byte, error)

// Source is some of the records, newest first.
type Source struct {
	Top  Row                                  // no record that is left is newer
	Rows []Row                                // that may be wanted, as far as they are known
	Load func(context.Context) ([]Row, error) // finds the next rows; nil when there are no more
}

// Search makes one page of what a filter finds, from sources that a store adds.
type Search struct {
	Filter history.Filter
	Fetch  Fetch
	Oldest int64 // when the oldest record was received: blocks may name records that have expired

	query   Query
	matches func(policy.Record) bool
	after   history.Cursor
	begun   time.Time
	sources []*Source
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
func (s *Search) AddBlock(b Span, read func(ctx context.Context, p Part, use func([]byte) error) error,
	all func(context.Context) ([]Row, error)) {
	if !s.Wants(b) {
		return
	}
	s.Add(&Source{Top: b.Newest, Load: func(ctx context.Context) ([]Row, error) {
		rows, err := s.query.Ask(b, s.after, func(p Part, use func([]byte) error) error { return read(ctx, p, use) })
		if errors.Is(err, ErrDamaged) {
			return all(ctx)
		}
		return rows, err
	}})
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
		r, ok, err := s.record(ctx, at, from.Rows[1:])
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
	c.Load = nil
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
func (s *Search) record(ctx context.Context, at Row, soon []Row) (r policy.Record, ok bool, err error) {
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
