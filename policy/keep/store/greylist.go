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

// Load implements greylist.Store.
func (g *Greylist) Load(ctx context.Context, k greylist.Key) (e greylist.Entry, err error) {
	err = g.read(ctx, func(ctx context.Context, db *sql.DB) error {
		var first, until int64
		e = greylist.Entry{}
		err := db.QueryRowContext(ctx, `SELECT first, until, passed FROM seen WHERE key = ?`, k[:]).Scan(&first, &until, &e.Passed)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		e.First, e.Until = time.Unix(first, 0), time.Unix(until, 0)
		return err
	})
	return e, err
}

// Save implements greylist.Store.
func (g *Greylist) Save(ctx context.Context, k greylist.Key, e greylist.Entry) error {
	return g.write(ctx, func(ctx context.Context, db *sql.DB) error {
		_, err := db.ExecContext(ctx, `INSERT OR REPLACE INTO seen (key, first, until, passed) VALUES (?, ?, ?, ?)`,
			k[:], e.First.Unix(), e.Until.Unix(), e.Passed)
		return err
	})
}

// Expire removes entries whose time is over, and if more than most are left, those
// whose time would be over next.
func (g *Greylist) Expire(ctx context.Context, now time.Time, most int) (int, error) {
	return g.expire(ctx, expiry{table: "seen", until: "until", before: now.Unix(), most: most})
}
