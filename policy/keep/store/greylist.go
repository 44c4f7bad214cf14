package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/milterscan/milterscan/scan/sender/greylist"
)

// Greylist is a greylist.Store in a file.
type Greylist struct{ file }

// Times are in seconds since 1970.
const greylistSchema = `
CREATE TABLE IF NOT EXISTS seen (key BLOB PRIMARY KEY, first INTEGER NOT NULL, until INTEGER NOT NULL, ` +
	`passed INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seen_until ON seen (until);
`

// NewGreylist returns the greylist in a file. warn is told when it was damaged.
func NewGreylist(path string, warn func(error)) *Greylist {
	return &Greylist{newFile(path, creating(greylistSchema), warn)}
}

// Try implements greylist.Store. The transaction that writes an entry judges it again, so that two processes count a
// client once; most mail writes nothing, and waits for no writer.
func (g *Greylist) Try(ctx context.Context, t greylist.Try) (a greylist.Answer, err error) {
	var write greylist.Records
	err = g.read(ctx, func(ctx context.Context, db *sql.DB) error {
		is, err := recordsOf(ctx, db, t)
		a, write = t.Judge(is)
		return err
	})
	if err != nil || write == (greylist.Records{}) {
		return a, err
	}
	err = g.write(ctx, func(ctx context.Context, db *sql.DB) error {
		return inTransaction(ctx, db, func(tx *sql.Tx) error {
			is, err := recordsOf(ctx, tx, t)
			if err != nil {
				return err
			}
			a, write = t.Judge(is)
			return errors.Join(saveEntry(ctx, tx, t.Client, write.Client), saveEntry(ctx, tx, t.Pair, write.Pair))
		})
	})
	return a, err
}

// recordsOf returns the entries of a try.
func recordsOf(ctx context.Context, db asker, t greylist.Try) (is greylist.Records, err error) {
	for _, one := range []struct {
		key   greylist.Key
		entry *greylist.Entry
	}{{t.Client, &is.Client}, {t.Pair, &is.Pair}, {t.Pass, &is.Pass}} {
		if *one.entry, err = loadEntry(ctx, db, one.key); err != nil {
			return is, err
		}
	}
	return is, nil
}

// loadEntry returns the entry of a key, the zero one if there is none.
func loadEntry(ctx context.Context, db asker, k greylist.Key) (e greylist.Entry, err error) {
	var first, until int64
	err = db.QueryRowContext(ctx, `SELECT first, until, passed FROM seen WHERE key = ?`, k[:]).Scan(&first, &until, &e.Passed)
	if errors.Is(err, sql.ErrNoRows) {
		return greylist.Entry{}, nil
	}
	e.First, e.Until = time.Unix(first, 0), time.Unix(until, 0)
	return e, err
}

// saveEntry replaces the entry of a key, if there is one to write.
func saveEntry(ctx context.Context, tx *sql.Tx, k greylist.Key, e greylist.Entry) error {
	if e.First.IsZero() {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO seen (key, first, until, passed) VALUES (?, ?, ?, ?)`,
		k[:], e.First.Unix(), e.Until.Unix(), e.Passed)
	return err
}

// Pass implements greylist.Store.
func (g *Greylist) Pass(ctx context.Context, k greylist.Key, now time.Time, hold time.Duration) (until time.Time, err error) {
	until = now.Add(hold)
	return until, g.write(ctx, func(ctx context.Context, db *sql.DB) error {
		return inTransaction(ctx, db, func(tx *sql.Tx) error { return saveEntry(ctx, tx, k, greylist.Entry{First: now, Until: until}) })
	})
}

// Expire removes entries whose time is over, and if more than most are left, those
// whose time would be over next.
func (g *Greylist) Expire(ctx context.Context, now time.Time, most int) (int, error) {
	return g.expire(ctx, expiry{table: "seen", until: "until", before: now.Unix(), most: most})
}
