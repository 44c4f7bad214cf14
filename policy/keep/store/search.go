package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/find"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// Find finds records by a filter, a page at a time.
func (h *History) Find(ctx context.Context, f history.Filter, after history.Cursor) (p history.Page, err error) {
	err = h.look(ctx, func(tx *sql.Tx) error {
		s := search{tx: tx, Search: find.NewSearch(f, after)}
		s.Fetch, s.Read = s.record, s.readParts
		unindexed, err := s.open(ctx)
		if err == nil {
			p, err = s.Page(ctx)
		}
		p.Unindexed = unindexed
		return err
	})
	return p, err
}

// List finds all records by a filter, at most f.Limit unless that is 0.
func (h *History) List(ctx context.Context, f history.Filter) (list []policy.Record, err error) {
	return history.List(ctx, h.Find, f)
}

// search makes one page.
type search struct {
	*find.Search
	tx    *sql.Tx
	fetch *sql.Stmt // a record
	parts *sql.Stmt // of blocks; nil in a history of the first version
}

// record reads a record.
func (s *search) record(ctx context.Context, at find.Row, _ func() []find.Row) (text []byte, err error) {
	err = s.fetch.QueryRowContext(ctx, at.Key).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return text, err
}
