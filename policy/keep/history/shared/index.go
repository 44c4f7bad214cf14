package shared

import (
	"context"
	"database/sql"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/find"
)

// indexTime is how long one step may take. It takes some seconds where the host has nothing else to do.
const indexTime = 10 * time.Minute

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
		if step.Gathers {
			err = s.gather(ctx, tx, from, step)
		}
		if err == nil {
			err = commit(ctx, tx, step)
		}
		return err
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

// Parts reads parts of blocks.
func (s shelf) Parts(ctx context.Context, blocks []find.Span, from, to find.Part, use func(find.Piece, []byte)) error {
	firsts := make([]int64, len(blocks))
	for i, b := range blocks {
		firsts[i] = b.First
	}
	_, err := each(ctx, s.tx, func(rows *sql.Rows) (none struct{}, err error) {
		var p find.Piece
		var data []byte
		if err = rows.Scan(&p.Block, &p.Part, &data); err == nil {
			use(p, data)
		}
		return none, err
	}, `SELECT block, part, data FROM history_part WHERE block = ANY($1::bigint[]) AND part >= $2 AND part < $3`,
		firsts, int64(from), int64(to))
	return err
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

// gather has blocks be put together into a huge one, and writes the parts of that. They belong to the first of the blocks until
// commit: their numbers are greater than those of its own parts.
func (s *Store) gather(ctx context.Context, tx *sql.Tx, from shelf, w *find.Step) error {
	first := w.Replaced[0].First
	some := map[find.Part][]byte{}
	size := 0
	err := w.Gather(ctx, from, s.Sizes, func(p find.Part, data []byte) (err error) {
		some[p] = data
		if size += len(data); size > mostInserted {
			err = insertParts(ctx, tx, first, some)
			clear(some)
			size = 0
		}
		return err
	})
	if err != nil {
		return err
	}
	if w.Huge.Rows > 0 {
		return insertParts(ctx, tx, first, some)
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM history_part WHERE block = $1 AND part >= $2`, first, int64(find.HugePart))
	return err
}

// commit writes a step down.
func commit(ctx context.Context, tx *sql.Tx, w *find.Step) error {
	var replaced []int64
	for _, b := range w.Replaced {
		replaced = append(replaced, b.First)
	}
	if b := w.Huge; b.Rows > 0 {
		return grow(ctx, tx, b, replaced)
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

// grow has a huge block, whose parts are there, take the place of those that it is made of.
func grow(ctx context.Context, tx *sql.Tx, b find.Span, replaced []int64) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM history_part WHERE block = $1 AND part < $2`, b.First, int64(find.HugePart))
	if err == nil {
		_, err = tx.ExecContext(ctx, `DELETE FROM history_block WHERE first = ANY($1::bigint[]) AND first <> $2`, replaced, b.First)
	}
	if err == nil {
		_, err = tx.ExecContext(ctx, `UPDATE history_block SET last = $2, rows = $3, merged = true, level = $4,
			newest = $5, newest_key = $6, oldest = $7, oldest_key = $8 WHERE first = $1`,
			b.First, b.Last, int64(b.Rows), int64(b.Level), b.Newest.Time, b.Newest.Key, b.Oldest.Time, b.Oldest.Key)
	}
	return err
}

// write adds a block.
func write(ctx context.Context, tx *sql.Tx, b find.Block) error {
	if _, err := tx.ExecContext(ctx,
		`INSERT INTO history_block (first, last, rows, merged, level, newest, newest_key, oldest, oldest_key)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, b.First, b.Last, int64(b.Rows), b.Level > find.Small, int64(b.Level),
		b.Newest.Time, b.Newest.Key, b.Oldest.Time, b.Oldest.Key); err != nil {
		return err
	}
	return insertParts(ctx, tx, b.First, b.Parts)
}

// mostInserted is how many bytes of parts are sent at once, about.
const mostInserted = 1 << 20

// insertParts adds parts of a block.
func insertParts(ctx context.Context, tx *sql.Tx, block int64, parts map[find.Part][]byte) error {
	var numbers []int64
	var all [][]byte
	for p, data := range parts {
		if data == nil {
			data = []byte{}
		}
		numbers, all = append(numbers, int64(p)), append(all, data)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO history_part (block, part, data)
		SELECT $1::bigint, part, data FROM unnest($2::bigint[], $3::bytea[]) AS w (part, data)`, block, numbers, all)
	return err
}
