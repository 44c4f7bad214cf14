package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

// Index is a quarantine.Index in a file.
type Index struct{ file }

// put is when a row was written, in milliseconds; complete has a row once the
// index was made from the store.
const indexSchema = `
CREATE TABLE IF NOT EXISTS kept (id TEXT PRIMARY KEY, time INTEGER NOT NULL, put INTEGER NOT NULL, row TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS kept_time ON kept (time);
CREATE TABLE IF NOT EXISTS complete (since INTEGER NOT NULL);
`

// NewIndex returns the index in a file. warn is told when it was damaged.
func NewIndex(path string, warn func(error)) *Index {
	return &Index{newFile(path, creating(indexSchema+sizeSchema), warn)}
}

// Put adds a row or replaces it.
func (x *Index) Put(ctx context.Context, r quarantine.Row) error {
	return x.use(ctx, func(db *sql.DB) error { return put(ctx, db, r, time.Now()) })
}

// execer is a database or a transaction.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func put(ctx context.Context, to execer, r quarantine.Row, now time.Time) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = to.ExecContext(ctx, `INSERT OR REPLACE INTO kept (id, time, put, row) VALUES (?, ?, ?, ?)`,
		r.ID, r.Time.UnixMilli(), now.UnixMilli(), string(text))
	return err
}

// Delete removes a row.
func (x *Index) Delete(ctx context.Context, id string) error {
	return x.use(ctx, func(db *sql.DB) error {
		_, err := db.ExecContext(ctx, `DELETE FROM kept WHERE id = ?`, id)
		return err
	})
}

// Find lists rows, newest first.
func (x *Index) Find(ctx context.Context, f quarantine.Filter) (rows []quarantine.Row, err error) {
	err = x.use(ctx, func(db *sql.DB) error {
		rows = nil
		if err := complete(ctx, db); err != nil {
			return err
		}
		found, err := db.QueryContext(ctx, `SELECT row FROM kept WHERE time >= ? AND time < ? ORDER BY time DESC, id DESC`, from(f.Since),
			lastOf(f))
		if err != nil {
			return err
		}
		defer found.Close()
		for found.Next() && (f.Limit == 0 || len(rows) < f.Limit) {
			var text []byte
			var r quarantine.Row
			if err := found.Scan(&text); err != nil {
				return err
			}
			if err := json.Unmarshal(text, &r); err != nil {
				return err
			}
			if f.Matches(r) {
				rows = append(rows, r)
			}
		}
		return found.Err()
	})
	return rows, err
}

func complete(ctx context.Context, db *sql.DB) error {
	var n int
	if err := db.QueryRowContext(ctx, `SELECT count(*) FROM complete`).Scan(&n); err != nil {
		return err
	}
	if n == 0 {
		return quarantine.ErrIncomplete
	}
	return nil
}

// from and until are bounds in milliseconds; the zero time is none.
func from(t time.Time) int64 {
	if t.IsZero() {
		return -1 << 62
	}
	return t.UnixMilli()
}

// lastOf returns the millisecond before which rows have to be that a filter lets through.
func lastOf(f quarantine.Filter) int64 {
	if f.Below != "" {
		return until(f.Before) + 1
	}
	return until(f.Before)
}

func until(t time.Time) int64 {
	if t.IsZero() {
		return 1 << 62
	}
	return t.UnixMilli()
}

// Replace makes the index again.
func (x *Index) Replace(ctx context.Context, rows []quarantine.Row, begun time.Time) error {
	return x.use(ctx, func(db *sql.DB) error {
		return inTransaction(ctx, db, func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, `DELETE FROM kept WHERE put < ?`, begun.UnixMilli()); err != nil {
				return err
			}
			for _, r := range rows {
				if err := put(ctx, tx, r, begun); err != nil {
					return err
				}
			}
			_, err := tx.ExecContext(ctx, `INSERT INTO complete (since) VALUES (?)`, begun.UnixMilli())
			return err
		})
	})
}
