package store

import (
	"context"
	"database/sql"
	"errors"
	"math"

	"github.com/milterscan/milterscan/policy/keep/find"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// Hold returns the records that have something on a list, the newest first. Blocks answer for the
// records in them: a million records take about a second. Mail does not wait for it.
func (h *History) Hold(ctx context.Context, q history.Holding) (out history.Held, err error) {
	err = h.look(ctx, func(tx *sql.Tx) error {
		k := &holding{search: search{tx: tx}}
		out, err = k.run(ctx, q)
		return err
	})
	return out, err
}

// holding is one question.
type holding struct {
	search
	*find.Holding
}

// run asks the blocks, and reads the records that are in none.
func (k *holding) run(ctx context.Context, q history.Holding) (out history.Held, err error) {
	if k.fetch, err = k.tx.PrepareContext(ctx, `SELECT record FROM message WHERE rowid = ?`); err != nil {
		return out, err
	}
	var oldest sql.NullInt64
	if err := k.tx.QueryRowContext(ctx, `SELECT min(time) FROM message`).Scan(&oldest); err != nil || !oldest.Valid {
		return out, err
	}
	k.Holding = find.NewHolding(q, oldest.Int64)
	e, err := extentOf(ctx, k.tx)
	if err != nil {
		return out, err
	}
	if err := k.read(ctx, math.MinInt64, e.Low); err != nil {
		return out, err
	}
	if e.High < math.MaxInt64 { // else it is of the first version, which has no blocks
		if err := errors.Join(k.blocks(ctx), k.read(ctx, e.High, math.MaxInt64)); err != nil {
			return out, err
		}
	}
	return k.Collect(ctx, k.record)
}

// blocks asks every block.
func (k *holding) blocks(ctx context.Context) (err error) {
	if k.parts, err = k.tx.PrepareContext(ctx, partOfBlock); err != nil {
		return err
	}
	spans, err := Rows(ctx, k.tx, readSpan, spansOfBlocks)
	if err != nil {
		return err
	}
	return k.Blocks(ctx, spans, k.readParts, func(b find.Span) error { return k.read(ctx, b.First, b.Last+1) })
}

// read reads the records with keys from first to below next.
func (k *holding) read(ctx context.Context, first, next int64) error {
	found, err := k.tx.QueryContext(ctx, `SELECT rowid, time, record FROM message WHERE rowid >= ? AND rowid < ? AND time >= ? AND time < ?`,
		first, next, from(k.Since), until(k.Before))
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		var at find.Row
		var text sql.RawBytes
		if err := found.Scan(&at.Key, &at.Time, &text); err != nil {
			return err
		}
		if err := k.Record(at, text); err != nil {
			return err
		}
	}
	return found.Err()
}
