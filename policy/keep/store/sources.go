package store

import (
	"context"
	"database/sql"
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

// open finds out where records are. It returns how many of them are in no block yet, about, of those that were there
// before there were blocks.
func (s *search) open(ctx context.Context) (unindexed int64, err error) {
	if s.fetch, err = s.tx.PrepareContext(ctx, `SELECT record FROM message WHERE rowid = ?`); err != nil {
		return 0, err
	}
	var oldest, first sql.NullInt64
	if err := s.tx.QueryRowContext(ctx, `SELECT (SELECT min(time) FROM message), (SELECT min(rowid) FROM message)`).
		Scan(&oldest, &first); err != nil || !oldest.Valid {
		return 0, err
	}
	s.Oldest = oldest.Int64
	if named, err := s.named(ctx); err != nil || named {
		return 0, err
	}
	e, err := extentOf(ctx, s.tx)
	if err != nil {
		return 0, err
	}
	if first.Int64 < e.Low {
		if unindexed, err = s.unindexed(ctx, first.Int64, e.Low); err != nil {
			return 0, err
		}
		s.Add(s.before(e.Low, s.Start()))
	}
	if e.High == math.MaxInt64 { // of the first version, which has no blocks
		return unindexed, nil
	}
	if s.parts, err = s.tx.PrepareContext(ctx, partOfBlock); err != nil {
		return unindexed, err
	}
	s.Add(&find.Source{Top: s.Start(), Load: s.keys(e.High, math.MaxInt64)})
	return unindexed, s.blocks(ctx)
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
		{`SELECT time, rowid FROM message WHERE queue = ? LIMIT ?`, s.Filter.QueueID},
		{`SELECT time, rowid FROM message WHERE mid = ? LIMIT ?`, history.BareID(s.Filter.MessageID)},
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
			s.Add(&find.Source{Top: rows[0], Rows: rows})
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

// keys lists all records with keys from first to below next.
func (s *search) keys(first, next int64) func(context.Context) ([]find.Row, error) {
	return func(ctx context.Context) ([]find.Row, error) {
		return s.rows(ctx, `SELECT time, rowid FROM message WHERE rowid >= ? AND rowid < ?`, first, next)
	}
}

// before returns the source of records with keys below low, which are read in the order of time.
func (s *search) before(low int64, top find.Row) *find.Source {
	c := &find.Source{Top: top}
	var load func(context.Context) ([]find.Row, error)
	load = func(ctx context.Context) ([]find.Row, error) {
		rows, err := s.rows(ctx, `SELECT time, rowid FROM message WHERE time >= ?1 AND time <= ?2 AND rowid < ?3
			AND (time < ?2 OR rowid <= ?4) ORDER BY time DESC, rowid DESC LIMIT ?5`, from(s.Filter.Since), c.Top.Time, low, c.Top.Key, chunk)
		if len(rows) == chunk {
			c.Load = load
		}
		return rows, err
	}
	c.Load = load
	return c
}

// blocks makes a source of every block that may have wanted records.
func (s *search) blocks(ctx context.Context) error {
	spans, err := Rows(ctx, s.tx, readSpan, spansOfBlocks)
	for _, b := range spans {
		s.AddBlock(b, s.keys(b.First, b.Last+1))
	}
	return err
}

// spansOfBlocks asks for the spans of all blocks, and partOfBlock for a part of one.
const (
	spansOfBlocks = `SELECT merged, first, last, rows, newest, newest_key, oldest, oldest_key FROM block`
	partOfBlock   = `SELECT data FROM part WHERE block = ? AND part = ?`
)

func readSpan(rows *sql.Rows) (b find.Span, err error) {
	return b, rows.Scan(&b.Level, &b.First, &b.Last, &b.Rows, &b.Newest.Time, &b.Newest.Key, &b.Oldest.Time, &b.Oldest.Key)
}

// readParts calls use with parts of blocks.
func (s *search) readParts(ctx context.Context, list []find.Piece, use func(i int, data []byte)) error {
	for i, p := range list {
		if err := s.part(ctx, p, func(data []byte) { use(i, data) }); err != nil {
			return err
		}
	}
	return nil
}

// part calls use with a part of a block, if it is there.
func (s *search) part(ctx context.Context, p find.Piece, use func([]byte)) error {
	rows, err := s.parts.QueryContext(ctx, p.Block, p.Part)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		return rows.Err()
	}
	var data sql.RawBytes
	if err := rows.Scan(&data); err != nil {
		return err
	}
	use(data)
	return nil
}
