package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/find"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// Hold returns the records that have something on a list, the newest first. Blocks answer for the
// records in them: a million records take about a second. Mail does not wait for it.
func (h *History) Hold(ctx context.Context, q history.Holding) (out history.Held, err error) {
	err = h.look(ctx, func(tx *sql.Tx) error {
		k := &holding{search: search{tx: tx}, Holding: q}
		if !q.Before.IsZero() { // records have whole milliseconds
			k.Before = q.Before.Add(time.Millisecond - 1).Truncate(time.Millisecond)
		}
		if err := k.run(ctx); err != nil {
			return err
		}
		out = k.out
		return nil
	})
	return out, err
}

// holding is one question.
type holding struct {
	search
	history.Holding
	rows []find.Row
	out  history.Held
}

// run asks the blocks, and reads the records that are in none.
func (k *holding) run(ctx context.Context) (err error) {
	if k.fetch, err = k.tx.PrepareContext(ctx, `SELECT record FROM message WHERE rowid = ?`); err != nil {
		return err
	}
	var oldest sql.NullInt64 // blocks may name records that have expired
	if err := k.tx.QueryRowContext(ctx, `SELECT min(time) FROM message`).Scan(&oldest); err != nil || !oldest.Valid {
		return err
	}
	if at := time.UnixMilli(oldest.Int64); at.After(k.Since) {
		k.Since = at
	}
	e, err := extentOf(ctx, k.tx)
	if err != nil {
		return err
	}
	if err := k.read(ctx, math.MinInt64, e.low); err != nil {
		return err
	}
	if e.high < math.MaxInt64 { // else it is of the first version, which has no blocks
		if err := errors.Join(k.blocks(ctx), k.read(ctx, e.high, math.MaxInt64)); err != nil {
			return err
		}
	}
	return k.collect(ctx)
}

// blocks asks every block.
func (k *holding) blocks(ctx context.Context) (err error) {
	if k.parts, err = k.tx.PrepareContext(ctx, `SELECT data FROM part WHERE block = ? AND part = ?`); err != nil {
		return err
	}
	spans, err := Rows(ctx, k.tx, readSpan, spansOfBlocks)
	if err != nil {
		return err
	}
	for _, b := range spans {
		if err := k.block(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// block asks a block. One that is damaged is not asked: its records are read.
func (k *holding) block(ctx context.Context, b find.Span) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	rows, c, err := find.Hold(b, k.Holding, func(p find.Part, use func([]byte) error) error { return k.part(ctx, b.First, p, use) })
	if errors.Is(err, find.ErrDamaged) {
		return k.read(ctx, b.First, b.Last+1)
	}
	k.rows = append(k.rows, rows...)
	k.out.Add(c)
	return err
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
		var r policy.Record
		if err := json.Unmarshal(text, &r); err != nil {
			return fmt.Errorf("record %d cannot be read: %w", at.Key, err)
		}
		r.Upgrade()
		k.out.Add(k.Covers(r))
		if k.Matches(r) {
			k.rows = append(k.rows, at)
		}
	}
	return found.Err()
}

// collect reads the newest of the records that were found, and looks whether they are what the block said.
func (k *holding) collect(ctx context.Context) error {
	slices.SortFunc(k.rows, find.Row.Later)
	for i, at := range k.rows {
		if len(k.out.Records) == k.Most {
			k.out.More = len(k.rows) - i
			return nil
		}
		var text []byte
		err := k.fetch.QueryRowContext(ctx, at.Key).Scan(&text)
		if errors.Is(err, sql.ErrNoRows) { // it has expired, and the block not yet
			continue
		}
		var r policy.Record
		if err = errors.Join(err, json.Unmarshal(text, &r)); err != nil {
			return err
		}
		r.Upgrade()
		if k.Matches(r) {
			k.out.Records = append(k.out.Records, r)
		}
	}
	return nil
}
