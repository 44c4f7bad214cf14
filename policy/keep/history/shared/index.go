package shared

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/find"
)

// indexTime is how long one step may take.
const indexTime = time.Minute

// indexKey is the number of the lock of who indexes.
const indexKey = 0x6d73686973696478

// Index puts records that are in no block into one, or makes a large block of small ones, and reports whether there
// may be more to do. Of several hosts one does, and the others leave it to that. Who writes records waits for it only
// while the extent is changed, which comes last.
func (s *Store) Index(ctx context.Context) (more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, indexTime)
	defer cancel()
	err = s.state.Change(ctx, func(tx *sql.Tx) error {
		more = false
		var mine bool
		if err := tx.QueryRowContext(ctx, `SELECT pg_try_advisory_xact_lock($1)`,
			int64(indexKey)).Scan(&mine); err != nil || !mine {
			return err
		}
		var e find.Extent
		from := shelf{tx: tx}
		if err := tx.QueryRowContext(ctx, `SELECT high, next, oldest FROM history_extent`).
			Scan(&e.High, &e.Next, &from.oldest); err != nil {
			return err
		}
		step, err := s.Sizes.Plan(ctx, from, e)
		if err != nil || step == nil {
			return err
		}
		more = true
		return commit(ctx, tx, step)
	})
	return more && err == nil, err
}

// shelf is a find.Shelf.
type shelf struct {
	tx     *sql.Tx
	oldest int64 // what was received before has expired
}

// Blocks lists all blocks.
func (s shelf) Blocks(ctx context.Context) ([]find.Span, error) {
	return each(ctx, s.tx, scanSpan, spansOfBlocks+` ORDER BY first`)
}

// Size adds up how long parts are, which the server knows without reading them.
func (s shelf) Size(ctx context.Context, k find.Keys) (n int64, err error) {
	err = s.tx.QueryRowContext(ctx,
		`SELECT coalesce(sum(octet_length(data)), 0)::bigint FROM history_part WHERE block >= $1 AND block <= $2`,
		k.First, k.Last).Scan(&n)
	return n, err
}

// Part reads a part of a block.
func (s shelf) Part(ctx context.Context, b find.Span, p find.Part) (data []byte, err error) {
	err = s.tx.QueryRowContext(ctx, `SELECT data FROM history_part WHERE block = $1 AND part = $2`, b.First, int64(p)).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		err = find.ErrAbsent
	}
	return data, err
}

// Alive tells records that have not expired. They are not written a second time.
func (s shelf) Alive(context.Context, []find.Span) (func(find.Row) bool, error) {
	return func(r find.Row) bool { return r.Time >= s.oldest }, nil
}

// Each has records in the order of their keys.
func (s shelf) Each(k find.Keys, most int) find.Each {
	return func(ctx context.Context, use func(key int64, r policy.Record) bool) error {
		found, err := s.tx.QueryContext(ctx,
			`SELECT key, time, record FROM history WHERE key >= $1 AND key <= $2 ORDER BY key LIMIT $3`,
			k.First, k.Last, int64(most))
		if err != nil {
			return err
		}
		defer found.Close()
		for found.Next() {
			var key, at int64
			var text sql.RawBytes
			if err := found.Scan(&key, &at, &text); err != nil {
				return err
			}
			if !use(key, find.Read(at, text)) {
				break
			}
		}
		return found.Err()
	}
}

// commit writes a step down.
func commit(ctx context.Context, tx *sql.Tx, w *find.Step) error {
	var replaced []int64
	for _, b := range w.Replaced {
		replaced = append(replaced, b.First)
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM history_block WHERE first = ANY($1::bigint[])`, replaced); err != nil {
		return err
	}
	for _, b := range w.Blocks {
		if err := write(ctx, tx, b); err != nil {
			return err
		}
	}
	if w.Will == w.Was {
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE history_extent SET high = $1`, w.Will.High)
	return err
}

// write adds a block.
func write(ctx context.Context, tx *sql.Tx, b find.Block) error {
	if _, err := tx.ExecContext(ctx,
		`INSERT INTO history_block (first, last, rows, merged, newest, newest_key, oldest, oldest_key)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, b.First, b.Last, int64(b.Rows), b.Level > find.Small,
		b.Newest.Time, b.Newest.Key, b.Oldest.Time, b.Oldest.Key); err != nil {
		return err
	}
	for p, data := range b.Parts {
		if data == nil {
			data = []byte{}
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO history_part (block, part, data) VALUES ($1, $2, $3)`,
			b.First, int64(p), data); err != nil {
			return err
		}
	}
	return nil
}
