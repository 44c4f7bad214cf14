package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/find"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// Find finds records by a filter, a page at a time.
func (h *History) Find(ctx context.Context, f history.Filter, after history.Cursor) (p history.Page, err error) {
	begun := time.Now()
	err = h.look(ctx, func(tx *sql.Tx) error {
		s := search{tx: tx, filter: f, query: find.NewQuery(f), matches: f.Matcher(), after: after, begun: begun}
		p, err = s.page(ctx)
		return err
	})
	return p, err
}

// List finds all records by a filter, at most f.Limit unless that is 0.
func (h *History) List(ctx context.Context, f history.Filter) (list []policy.Record, err error) {
	most := f.Limit
	for after, more := (history.Cursor{}), true; more; {
		f.Limit = history.PageMost
		if most > 0 {
			f.Limit = min(f.Limit, most-len(list))
		}
		p, err := h.Find(ctx, f, after)
		if err != nil {
			return list, err
		}
		list, after = append(list, p.Records...), p.Next
		more = !after.IsZero() && (most == 0 || len(list) < most)
	}
	return list, nil
}

// search makes one page.
type search struct {
	tx      *sql.Tx
	filter  history.Filter
	query   find.Query
	matches func(policy.Record) bool
	after   history.Cursor
	begun   time.Time

	fetch   *sql.Stmt // a record
	parts   *sql.Stmt // of blocks; nil in a history of the first version
	oldest  int64     // when the oldest record was received
	sources []*source
}

// source is some of the records, newest first.
type source struct {
	top  find.Row                                  // no record that is left is newer
	rows []find.Row                                // that may be wanted, as far as they are known
	load func(context.Context) ([]find.Row, error) // finds the next rows; nil when there are no more
}

// page merges the sources until the page is full.
func (s *search) page(ctx context.Context) (p history.Page, err error) {
	if err := s.open(ctx, &p); err != nil {
		return p, err
	}
	var last find.Row
	for {
		from := s.newest()
		if from == nil {
			return p, nil
		}
		if next := (history.Cursor{Time: from.top.Time, Key: from.top.Key + 1}); s.late() && s.after.Comes(next.Time, next.Key) {
			p.Next, p.Early = next, true
			return p, nil
		}
		if len(from.rows) == 0 {
			if err := s.more(ctx, from); err != nil {
				return p, err
			}
			continue
		}
		at := from.rows[0]
		r, ok, err := s.record(ctx, at)
		switch {
		case err != nil:
			return p, err
		case ok && len(p.Records) == s.filter.Size():
			p.Next = history.Cursor{Time: last.Time, Key: last.Key}
			return p, nil
		case ok:
			p.Records, last = append(p.Records, r), at
		}
		from.take()
	}
}

// late reports whether the patience is over.
func (s *search) late() bool { return s.filter.Patience > 0 && time.Since(s.begun) > s.filter.Patience }

// newest returns the source that may have the newest record left, nil if none has any.
func (s *search) newest() *source {
	s.sources = slices.DeleteFunc(s.sources, func(c *source) bool { return len(c.rows) == 0 && c.load == nil })
	if len(s.sources) == 0 {
		return nil
	}
	return slices.MinFunc(s.sources, func(a, b *source) int {
		return cmp.Or(a.top.Later(b.top), cmp.Compare(len(a.rows), len(b.rows)))
	})
}

// more lets a source find its next rows.
func (s *search) more(ctx context.Context, c *source) error {
	load := c.load
	c.load = nil
	rows, err := load(ctx)
	if err != nil {
		return err
	}
	if c.rows = rows; len(rows) > 0 {
		c.top = rows[0]
	}
	return nil
}

// take goes on to the next row.
func (c *source) take() {
	last := c.rows[0]
	c.rows = c.rows[1:]
	c.top = find.Row{Time: last.Time, Key: last.Key - 1}
	if len(c.rows) > 0 {
		c.top = c.rows[0]
	}
}

// record reads a record, and reports whether it is there, wanted, and not on an earlier
// page.
func (s *search) record(ctx context.Context, at find.Row) (r policy.Record, ok bool, err error) {
	if !s.after.Comes(at.Time, at.Key) || at.Time < s.oldest || !s.query.May(at.Time, at.Time) {
		return r, false, nil
	}
	var text []byte
	if err := s.fetch.QueryRowContext(ctx, at.Key).Scan(&text); errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	} else if err != nil {
		return r, false, err
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, false, err
	}
	r.Upgrade()
	return r, s.matches(r), nil
}
