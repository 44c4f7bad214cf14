package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"

	"github.com/milterscan/milterscan/policy/keep/find"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// Bounds of what a search reads at once.
const (
	mostNamed = 1000 // records with one queue id or Message-ID; of more the blocks are asked
	chunk     = 500  // records that are in no block
)

// open finds out where records are.
func (s *search) open(ctx context.Context, p *history.Page) (err error) {
	if s.fetch, err = s.tx.PrepareContext(ctx, `SELECT record FROM message WHERE rowid = ?`); err != nil {
		return err
	}
	var oldest, first sql.NullInt64
	if err := s.tx.QueryRowContext(ctx, `SELECT (SELECT min(time) FROM message), (SELECT min(rowid) FROM message)`).
		Scan(&oldest, &first); err != nil || !oldest.Valid {
		return err
	}
	s.oldest = oldest.Int64
	if named, err := s.named(ctx); err != nil || named {
		return err
	}
	e, err := extentOf(ctx, s.tx)
	if err != nil {
		return err
	}
	if first.Int64 < e.low {
		if p.Unindexed, err = s.unindexed(ctx, first.Int64, e.low); err != nil {
			return err
		}
		s.sources = append(s.sources, s.before(e.low, s.start()))
	}
	if e.high == math.MaxInt64 { // of the first version, which has no blocks
		return nil
	}
	if s.parts, err = s.tx.PrepareContext(ctx, `SELECT data FROM part WHERE block = ? AND part = ?`); err != nil {
		return err
	}
	s.sources = append(s.sources, s.keys(s.start(), e.high, math.MaxInt64))
	return s.blocks(ctx)
}

// start returns the place of the newest record that may be wanted.
func (s *search) start() find.Row {
	if s.after.IsZero() {
		return find.Row{Time: math.MaxInt64, Key: math.MaxInt64 - 1}
	}
	return find.Row{Time: s.after.Time, Key: s.after.Key - 1}
}

// unindexed counts the records with keys below low, about.
func (s *search) unindexed(ctx context.Context, first, low int64) (int64, error) {
	if low < math.MaxInt64 {
		return low - first, nil
	}
	var last int64
	err := s.tx.QueryRowContext(ctx, `SELECT max(rowid) FROM message`).Scan(&last)
	return last - first + 1, err
}

// named takes the records with a queue id or a Message-ID as the only source. It reports
// whether the filter names one, and the records are few.
func (s *search) named(ctx context.Context) (bool, error) {
	for _, c := range []struct{ query, id string }{
		{`SELECT time, rowid FROM message WHERE queue = ? LIMIT ?`, s.filter.QueueID},
		{`SELECT time, rowid FROM message WHERE mid = ? LIMIT ?`, history.BareID(s.filter.MessageID)},
	} {
		if c.id == "" {
			continue
		}
		rows, err := s.rows(ctx, c.query, hashed(c.id), mostNamed+1)
		if err != nil {
			return false, err
		}
		if len(rows) > mostNamed {
			continue
		}
		if len(rows) > 0 {
			s.sources = []*source{{top: rows[0], rows: rows}}
		}
		return true, nil
	}
	return false, nil
}

// rows reads times and keys, and returns them newest first.
func (s *search) rows(ctx context.Context, query string, args ...any) (list []find.Row, err error) {
	found, err := s.tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	for found.Next() {
		var r find.Row
		if err := found.Scan(&r.Time, &r.Key); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	slices.SortFunc(list, find.Row.Later)
	return list, found.Err()
}

// keys returns the source of all records with keys from first to below next.
func (s *search) keys(top find.Row, first, next int64) *source {
	return &source{top: top, load: func(ctx context.Context) ([]find.Row, error) {
		return s.rows(ctx, `SELECT time, rowid FROM message WHERE rowid >= ? AND rowid < ?`, first, next)
	}}
}

// before returns the source of records with keys below low, which are read in the order of time.
func (s *search) before(low int64, top find.Row) *source {
	c := &source{top: top}
	var load func(context.Context) ([]find.Row, error)
	load = func(ctx context.Context) ([]find.Row, error) {
		rows, err := s.rows(ctx, `SELECT time, rowid FROM message WHERE time >= ?1 AND time <= ?2 AND rowid < ?3
			AND (time < ?2 OR rowid <= ?4) ORDER BY time DESC, rowid DESC LIMIT ?5`, from(s.filter.Since), c.top.Time, low, c.top.Key, chunk)
		if len(rows) == chunk {
			c.load = load
		}
		return rows, err
	}
	c.load = load
	return c
}

// blocks makes a source of every block that may have wanted records.
func (s *search) blocks(ctx context.Context) error {
	spans, err := Rows(ctx, s.tx, readSpan, spansOfBlocks)
	for _, b := range spans {
		if s.after.Comes(b.Oldest.Time, b.Oldest.Key) && b.Newest.Time >= s.oldest && s.query.May(b.Oldest.Time, b.Newest.Time) {
			s.sources = append(s.sources, s.block(b))
		}
	}
	return err
}

// spansOfBlocks asks for the spans of all blocks.
const spansOfBlocks = `SELECT first, last, rows, newest, newest_key, oldest, oldest_key FROM block`

func readSpan(rows *sql.Rows) (b find.Span, err error) {
	return b, rows.Scan(&b.First, &b.Last, &b.Rows, &b.Newest.Time, &b.Newest.Key, &b.Oldest.Time, &b.Oldest.Key)
}

// block returns the source of the records of a block. One that is damaged is not asked: its
// records are read.
func (s *search) block(b find.Span) *source {
	all := s.keys(b.Newest, b.First, b.Last+1)
	return &source{top: b.Newest, load: func(ctx context.Context) ([]find.Row, error) {
		rows, err := s.query.Ask(b, s.after, func(p find.Part, use func([]byte) error) error { return s.part(ctx, b.First, p, use) })
		if errors.Is(err, find.ErrDamaged) {
			return all.load(ctx)
		}
		return rows, err
	}}
}

// part calls use with a part of a block. If it is not there, the block is damaged.
func (s *search) part(ctx context.Context, block int64, p find.Part, use func([]byte) error) error {
	rows, err := s.parts.QueryContext(ctx, block, p)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		return cmp.Or(rows.Err(), find.ErrAbsent)
	}
	var data sql.RawBytes
	if err := rows.Scan(&data); err != nil {
		return err
	}
	return use(data)
}
