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
// index was made from the store. waiting has those that a message waits for: one person may
// have few of a million. Where the table is new the index is made again, since older rows do
// not name them.
const indexSchema = `
CREATE TABLE IF NOT EXISTS kept (id TEXT PRIMARY KEY, time INTEGER NOT NULL, put INTEGER NOT NULL, row TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS kept_time ON kept (time);
CREATE TABLE IF NOT EXISTS complete (since INTEGER NOT NULL);
`

const waitingSchema = `
CREATE TABLE waiting (address TEXT NOT NULL, time INTEGER NOT NULL, id TEXT NOT NULL, PRIMARY KEY (address, time, id)) WITHOUT ROWID;
CREATE INDEX waiting_id ON waiting (id);
CREATE TRIGGER waiting_gone AFTER DELETE ON kept BEGIN DELETE FROM waiting WHERE id = OLD.id; END;
DELETE FROM complete;
`

// NewIndex returns the index in a file. warn is told when it was damaged.
func NewIndex(path string, warn func(error)) *Index {
	return &Index{newFile(path, prepareIndex, warn)}
}

// prepareIndex sees to it that everything is in an index that is opened.
func prepareIndex(ctx context.Context, db *sql.DB) error {
	if _, err := db.ExecContext(ctx, indexSchema+sizeSchema); err != nil {
		return err
	}
	return inTransaction(ctx, db, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name = 'waiting'`).Scan(&n); err != nil || n > 0 {
			return err
		}
		_, err := tx.ExecContext(ctx, waitingSchema)
		return err
	})
}

// Put adds a row or replaces it.
func (x *Index) Put(ctx context.Context, r quarantine.Row) error {
	return x.use(ctx, func(db *sql.DB) error {
		return inTransaction(ctx, db, func(tx *sql.Tx) error { return put(ctx, tx, r, time.Now()) })
	})
}

func put(ctx context.Context, to *sql.Tx, r quarantine.Row, now time.Time) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = to.ExecContext(ctx, `INSERT INTO kept (id, time, put, row) VALUES (?1, ?2, ?3, ?4)
		ON CONFLICT (id) DO UPDATE SET time = ?2, put = ?3, row = ?4`, r.ID, r.Time.UnixMilli(), now.UnixMilli(), string(text))
	if err == nil {
		_, err = to.ExecContext(ctx, `DELETE FROM waiting WHERE id = ?`, r.ID)
	}
	for _, address := range r.WaitingFor() {
		if err != nil {
			return err
		}
		_, err = to.ExecContext(ctx, `INSERT INTO waiting (address, time, id) VALUES (?, ?, ?)`, address, r.Time.UnixMilli(), r.ID)
	}
	return err
}

// Delete removes a row.
func (x *Index) Delete(ctx context.Context, id string) error {
	return x.use(ctx, func(db *sql.DB) error {
		_, err := db.ExecContext(ctx, `DELETE FROM kept WHERE id = ?`, id)
		return err
	})
}

// rowsOf asks for the rows that may be what a filter lets through, newest first.
func rowsOf(ctx context.Context, db *sql.DB, f quarantine.Filter) (*sql.Rows, error) {
	since, before := from(f.Since), lastOf(f)
	switch len(f.Waiting) {
	case 0:
		return db.QueryContext(ctx, `SELECT row FROM kept WHERE time >= ? AND time < ? ORDER BY time DESC, id DESC`, since, before)
	case 1: // in the order of the key
		return db.QueryContext(ctx, `SELECT row FROM waiting JOIN kept USING (id) WHERE address = ? AND waiting.time >= ? AND waiting.time < ?
			ORDER BY waiting.time DESC, waiting.id DESC`, f.Waiting[0], since, before)
	}
	list, err := json.Marshal(f.Waiting)
	if err != nil {
		return nil, err
	}
	return db.QueryContext(ctx, `SELECT row FROM (SELECT DISTINCT time, id FROM waiting WHERE address IN (SELECT value FROM json_each(?))
		AND time >= ? AND time < ?) AS mine JOIN kept USING (id) ORDER BY mine.time DESC, mine.id DESC`, string(list), since, before)
}

// Find lists rows, newest first.
func (x *Index) Find(ctx context.Context, f quarantine.Filter) (rows []quarantine.Row, err error) {
	err = x.use(ctx, func(db *sql.DB) error {
		rows = nil
		if err := complete(ctx, db); err != nil {
			return err
		}
		if f.Waiting != nil && len(f.Waiting) == 0 {
			return nil // of a person without an address
		}
		found, err := rowsOf(ctx, db, f)
		if err != nil {
			return err
		}
		defer found.Close()
		may := f.Hint()
		for found.Next() && (f.Limit == 0 || len(rows) < f.Limit) {
			var text sql.RawBytes // until the next one
			var r quarantine.Row
			if err := found.Scan(&text); err != nil {
				return err
			}
			if !may(text) {
				continue
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
