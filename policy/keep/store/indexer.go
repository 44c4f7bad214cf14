package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"math"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/find"
)

// sizes says how many records are put into a small block, as they come, and into a large
// one, which is made of small ones. A record in no block yet is read by every search.
type sizes struct{ small, large int }

// usual are the sizes that a search of a million records takes least time with.
var usual = sizes{256, find.Rows}

// backlog is how many small blocks are to be made when Append makes one itself: there is no
// daemon that does.
const backlog = 8

// Index puts records that are in no block into one: as many as a block takes, so that
// others wait no longer than for a block to be written. It reports whether there is more
// to do. Killed in the middle, it begins again with the same block.
func (h *History) Index(ctx context.Context) (more bool, err error) {
	var work *indexing
	if err := h.look(ctx, func(tx *sql.Tx) error {
		work, err = h.sizes.planned(ctx, tx)
		return err
	}); err != nil || work == nil {
		return false, err
	}
	err = h.use(ctx, func(db *sql.DB) error {
		return inTransaction(ctx, db, func(tx *sql.Tx) error { return work.commit(ctx, tx) })
	})
	if errors.Is(err, errOvertaken) {
		err = nil
	}
	return err == nil, err
}

// errOvertaken says that another process has changed the blocks meanwhile.
var errOvertaken = errors.New("another process has changed the index meanwhile")

// indexing is one step of Index.
type indexing struct {
	was, will extent
	replaced  []keySpan // blocks
	blocks    []find.Block
	merged    bool
}

// planned makes the next step, nil if there is none.
func (z sizes) planned(ctx context.Context, tx *sql.Tx) (*indexing, error) {
	e, err := extentOf(ctx, tx)
	if err != nil || e.high == math.MaxInt64 {
		return nil, err
	}
	if w, err := z.recent(ctx, tx, e); w != nil || err != nil {
		return w, err
	}
	if w, err := z.merging(ctx, tx, e); w != nil || err != nil {
		return w, err
	}
	return z.former(ctx, tx, e)
}

// recent puts the records that came since into a block.
func (z sizes) recent(ctx context.Context, tx *sql.Tx, e extent) (*indexing, error) {
	n, most := e.next-e.high, z.small
	if n < int64(most) {
		return nil, nil
	}
	if n >= int64(z.large) {
		most = z.large
	}
	w := &indexing{was: e, will: e, merged: most == z.large}
	b, err := built(ctx, tx, most, `SELECT rowid, time, record FROM message WHERE rowid >= ? ORDER BY rowid`, e.high)
	if err != nil {
		return nil, err
	}
	w.will.high = e.next
	if b != nil {
		w.blocks, w.will.high = []find.Block{*b}, b.Last+1
	}
	return w, nil
}

// former puts the newest of the records that were there before there were blocks into one.
func (z sizes) former(ctx context.Context, tx *sql.Tx, e extent) (*indexing, error) {
	if e.low == 0 {
		return nil, nil
	}
	b, err := built(ctx, tx, z.large, `SELECT rowid, time, record FROM message WHERE rowid < ? ORDER BY rowid DESC`, e.low)
	if err != nil {
		return nil, err
	}
	w := &indexing{was: e, will: e, merged: true}
	w.will.low = 0
	if b != nil {
		w.blocks, w.will.low = []find.Block{*b}, b.First
	}
	return w, nil
}

// merging makes a large block of small ones, and of the records between them.
func (z sizes) merging(ctx context.Context, tx *sql.Tx, e extent) (*indexing, error) {
	small, err := blockSpans(ctx, tx, `SELECT first, last FROM block WHERE merged = 0 ORDER BY first LIMIT ?`, z.large/z.small)
	if err != nil || len(small) < z.large/z.small {
		return nil, err
	}
	w := &indexing{was: e, will: e, merged: true}
	last := small[len(small)-1].last
	w.replaced, err = blockSpans(ctx, tx, `SELECT first, last FROM block WHERE first >= ? AND first <= ?`, small[0].first, last)
	for from := small[0].first; err == nil; {
		var b *find.Block
		b, err = built(ctx, tx, z.large, `SELECT rowid, time, record FROM message WHERE rowid >= ? AND rowid <= ? ORDER BY rowid`, from, last)
		if b == nil {
			break
		}
		w.blocks, from = append(w.blocks, *b), b.Last+1
	}
	return w, err
}

// keySpan is from where to where the keys of a block are.
type keySpan struct{ first, last int64 }

func blockSpans(ctx context.Context, tx *sql.Tx, query string, args ...any) (list []keySpan, err error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s keySpan
		if err := rows.Scan(&s.first, &s.last); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, rows.Err()
}

// built makes a block of the first of the records that a query returns, nil if it returns none.
func built(ctx context.Context, tx *sql.Tx, most int, query string, args ...any) (*find.Block, error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var b find.Builder
	for b.Len() < most && rows.Next() {
		var key, at int64
		var text []byte
		if err := rows.Scan(&key, &at, &text); err != nil {
			return nil, err
		}
		r := policy.Record{}
		if json.Unmarshal(text, &r) != nil { // a search that comes to it says so
			r = policy.Record{}
		}
		r.Upgrade()
		r.Time = time.UnixMilli(at)
		if !b.Add(key, r) {
			break
		}
	}
	if err := rows.Err(); err != nil || b.Len() == 0 {
		return nil, err
	}
	block := b.Block()
	return &block, nil
}

// commit writes the step down, unless another process has done the same meanwhile.
func (w *indexing) commit(ctx context.Context, tx *sql.Tx) error {
	now, err := extentOf(ctx, tx)
	if err != nil || now.low != w.was.low || now.high != w.was.high {
		return err
	}
	for _, b := range w.replaced {
		gone, err := dropBlock(ctx, tx, b.first)
		if err != nil {
			return err
		}
		if !gone {
			return errOvertaken
		}
	}
	for _, b := range w.blocks {
		if err := w.write(ctx, tx, b); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, `UPDATE extent SET low = ?, high = ?`, w.will.low, w.will.high)
	return err
}

// write adds a block.
func (w *indexing) write(ctx context.Context, tx *sql.Tx, b find.Block) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO block (first, last, rows, merged, newest, newest_key, oldest, oldest_key)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, b.First, b.Last, b.Rows, w.merged,
		b.Newest.Time, b.Newest.Key, b.Oldest.Time, b.Oldest.Key); err != nil {
		return err
	}
	insert, err := tx.PrepareContext(ctx, `INSERT INTO part (block, part, data) VALUES (?, ?, ?)`)
	if err != nil {
		return err
	}
	defer insert.Close()
	for p, data := range b.Parts {
		if data == nil {
			data = []byte{}
		}
		if _, err := insert.ExecContext(ctx, b.First, p, data); err != nil {
			return err
		}
	}
	return nil
}

// dropBlock removes a block, and reports whether it was there.
func dropBlock(ctx context.Context, tx *sql.Tx, first int64) (bool, error) {
	r, err := tx.ExecContext(ctx, `DELETE FROM block WHERE first = ?`, first)
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
