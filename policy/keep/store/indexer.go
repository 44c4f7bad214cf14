package store

import (
	"context"
	"database/sql"
	"errors"
	"math"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/find"
)

// backlog is how many small blocks are to be made when Append makes one itself though it has to read the records
// for it: there is no daemon that does.
const backlog = 8

// Index puts records that are in no block into one: as many as a block takes, so that
// others wait no longer than for a block to be written. It reports whether there is more
// to do. Killed in the middle, it begins again with the same block.
func (h *History) Index(ctx context.Context) (more bool, err error) {
	var work step
	err = h.look(ctx, func(tx *sql.Tx) error {
		if work.Step, err = h.planned(ctx, tx); err == nil && work.Step != nil && work.Gathers {
			work.token, err = h.gather(ctx, shelf{tx, &h.recent}, work.Step)
		}
		return err
	})
	if errors.Is(err, errOvertaken) {
		return true, nil
	}
	if err != nil || work.Step == nil {
		return false, err
	}
	err = h.use(ctx, func(db *sql.DB) error {
		return inTransaction(ctx, db, func(tx *sql.Tx) error { return work.commit(ctx, tx) })
	})
	if errors.Is(err, errOvertaken) {
		return true, nil
	}
	if err == nil {
		h.recent.indexed(work.Will.High)
	}
	return err == nil, err
}

// errOvertaken says that another process has changed the blocks meanwhile.
var errOvertaken = errors.New("another process has changed the index meanwhile")

// step is one step of Index.
type step struct {
	*find.Step
	token string // of the parts that are written already
}

// planned makes the next step, nil if there is none.
func (h *History) planned(ctx context.Context, tx *sql.Tx) (*find.Step, error) {
	e, err := extentOf(ctx, tx)
	if err != nil || e.High == math.MaxInt64 {
		return nil, err
	}
	if w, err := h.sizes.Plan(ctx, shelf{tx, &h.recent}, e); w != nil || err != nil {
		return w, err
	}
	return former(ctx, tx, h.sizes, e)
}

// former puts the newest of the records that were there before there were blocks into one.
func former(ctx context.Context, tx *sql.Tx, z find.Sizes, e find.Extent) (*find.Step, error) {
	if e.Low == 0 {
		return nil, nil
	}
	b, err := find.Filled(ctx, find.Large, z.Large,
		records(tx, `SELECT rowid, time, record FROM message WHERE rowid < ? ORDER BY rowid DESC`, e.Low))
	if err != nil {
		return nil, err
	}
	w := &find.Step{Was: e, Will: e}
	w.Will.Low = 0
	if b != nil {
		w.Blocks, w.Will.Low = []find.Block{*b}, b.First
	}
	return w, nil
}

// shelf is a find.Shelf.
type shelf struct {
	tx     *sql.Tx
	recent *recent
}

// Blocks lists all blocks.
func (s shelf) Blocks(ctx context.Context) ([]find.Span, error) {
	return Rows(ctx, s.tx, readSpan, spansOfBlocks+` ORDER BY first`)
}

// Size adds up how long parts are.
func (s shelf) Size(ctx context.Context, k find.Keys) (n int64, err error) {
	err = s.tx.QueryRowContext(ctx, `SELECT coalesce(sum(length(data)), 0) FROM part WHERE block >= ? AND block <= ?`,
		k.First, k.Last).Scan(&n)
	return n, err
}

// Parts reads parts of blocks.
func (s shelf) Parts(ctx context.Context, blocks []find.Span, from, to find.Part, use func(find.Piece, []byte)) error {
	for _, b := range blocks {
		_, err := Rows(ctx, s.tx, func(rows *sql.Rows) (none struct{}, err error) {
			p := find.Piece{Block: b.First}
			var data []byte
			if err = rows.Scan(&p.Part, &data); err == nil {
				use(p, data)
			}
			return none, err
		}, `SELECT part, data FROM part WHERE block = ? AND part >= ? AND part < ?`, b.First, from, to)
		if err != nil {
			return err
		}
	}
	return nil
}

// Alive asks which records of blocks have neither expired nor been written again, with another key.
func (s shelf) Alive(ctx context.Context, blocks []find.Span) (func(find.Row) bool, error) {
	rows, oldest, newest := 0, int64(math.MaxInt64), int64(math.MinInt64)
	for _, b := range blocks {
		rows, oldest, newest = rows+b.Rows, min(oldest, b.Oldest.Time), max(newest, b.Newest.Time)
	}
	const alive = ` FROM message WHERE time >= ? AND time <= ? AND rowid >= ? AND rowid <= ?`
	args := []any{oldest, newest, blocks[0].First, blocks[len(blocks)-1].Last}
	var n int
	if err := s.tx.QueryRowContext(ctx, `SELECT count(*)`+alive, args...).Scan(&n); err != nil {
		return nil, err
	}
	if n == rows {
		return func(find.Row) bool { return true }, nil
	}
	keys := make(map[int64]bool, n)
	list, err := Rows(ctx, s.tx, func(rows *sql.Rows) (key int64, err error) { return key, rows.Scan(&key) }, `SELECT rowid`+alive, args...)
	for _, k := range list {
		keys[k] = true
	}
	return func(r find.Row) bool { return keys[r.Key] }, err
}

// Each has records in the order of their keys. Those that were just written need not be read.
func (s shelf) Each(k find.Keys, most int) find.Each {
	return func(ctx context.Context, use func(key int64, r policy.Record) bool) error {
		list, err := s.recent.from(ctx, s.tx, k, most)
		if err == nil && list == nil {
			err = s.read(k)(ctx, use)
		}
		for i, r := range list {
			if !use(k.First+int64(i), r) {
				break
			}
		}
		return err
	}
}

// read has records as they are in the file.
func (s shelf) read(k find.Keys) find.Each {
	return records(s.tx, `SELECT rowid, time, record FROM message WHERE rowid >= ? AND rowid <= ? ORDER BY rowid`,
		k.First, k.Last)
}

// records has the records that a query returns.
func records(tx *sql.Tx, query string, args ...any) find.Each {
	return func(ctx context.Context, use func(key int64, r policy.Record) bool) error {
		rows, err := tx.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var key, at int64
			var text sql.RawBytes
			if err := rows.Scan(&key, &at, &text); err != nil {
				return err
			}
			if !use(key, find.Read(at, text)) {
				break
			}
		}
		return rows.Err()
	}
}

// commit writes the step down, unless another process has done the same meanwhile.
func (w step) commit(ctx context.Context, tx *sql.Tx) error {
	if w.Huge.Rows > 0 {
		return w.grow(ctx, tx)
	}
	for _, b := range w.Replaced {
		gone, err := dropBlock(ctx, tx, b.First, b.Last)
		if err != nil {
			return err
		}
		if !gone {
			return errOvertaken
		}
	}
	if len(w.Replaced) == 0 {
		now, err := extentOf(ctx, tx)
		if err != nil || now.Low != w.Was.Low || now.High != w.Was.High {
			return err
		}
		if _, err = tx.ExecContext(ctx, `UPDATE extent SET low = ?, high = ?`, w.Will.Low, w.Will.High); err != nil {
			return err
		}
	}
	for _, b := range w.Blocks {
		if err := write(ctx, tx, b); err != nil {
			return err
		}
	}
	return nil
}

// write adds a block.
func write(ctx context.Context, tx *sql.Tx, b find.Block) error {
	if err := insertBlock(ctx, tx, b.Span); err != nil {
		return err
	}
	return insertParts(ctx, tx, b.First, b.Parts)
}

func insertBlock(ctx context.Context, tx *sql.Tx, b find.Span) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO block (first, last, rows, merged, newest, newest_key, oldest, oldest_key)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, b.First, b.Last, b.Rows, int(b.Level),
		b.Newest.Time, b.Newest.Key, b.Oldest.Time, b.Oldest.Key)
	return err
}

const insertPart = `INSERT INTO part (block, part, data) VALUES (?, ?, ?)`

// insertParts adds parts of a block.
func insertParts(ctx context.Context, tx *sql.Tx, block int64, parts map[find.Part][]byte) error {
	insert, err := tx.PrepareContext(ctx, insertPart)
	if err != nil {
		return err
	}
	defer insert.Close()
	for p, data := range parts {
		if data == nil {
			data = []byte{}
		}
		if _, err := insert.ExecContext(ctx, block, p, data); err != nil {
			return err
		}
	}
	return nil
}

// dropBlock removes a block, and reports whether it was there.
func dropBlock(ctx context.Context, tx *sql.Tx, first, last int64) (bool, error) {
	r, err := tx.ExecContext(ctx, `DELETE FROM block WHERE first = ? AND last = ?`, first, last)
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	if err != nil || n == 0 {
		return false, err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM part WHERE block = ?`, first)
	return true, err
}
