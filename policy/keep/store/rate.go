package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/milterscan/milterscan/scan/sender/rate"
)

// Rate is a rate.Store in a file.
type Rate struct{ file }

// full is when a bucket will be full again, in milliseconds since 1970.
const rateSchema = `
CREATE TABLE IF NOT EXISTS bucket (key BLOB PRIMARY KEY, full INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS bucket_full ON bucket (full);
`

// take moves the moment on by one token unless it is too far off. It is a single
// statement, so that two processes never take the same token.
const take = `INSERT INTO bucket (key, full) VALUES (?1, ?2 + ?4)
	ON CONFLICT DO UPDATE SET full = max(full, ?2) + ?4 WHERE max(full, ?2) + ?4 <= ?2 + ?3`

// repair empties a bucket that was used while a clock was ahead: no sender is to wait
// until that time.
const repair = `UPDATE bucket SET full = ?2 + ?3 WHERE key = ?1 AND full > ?2 + ?3`

// NewRate returns the buckets in a file. warn is told when it was damaged.
func NewRate(path string, warn func(error)) *Rate {
	return &Rate{newFile(path, creating(rateSchema), warn)}
}

// Take implements rate.Store. A token that takes less than a millisecond to come
// is free.
func (r *Rate) Take(ctx context.Context, k rate.Key, b rate.Bucket, now time.Time) (ok bool, err error) {
	err = r.write(ctx, func(ctx context.Context, db *sql.DB) error {
		done, err := db.ExecContext(ctx, take, k[:], now.UnixMilli(), b.Size.Milliseconds(), b.Every.Milliseconds())
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		if ok = n > 0; !ok && err == nil {
			_, err = db.ExecContext(ctx, repair, k[:], now.UnixMilli(), b.Size.Milliseconds())
		}
		return err
	})
	return ok, err
}

// Expire forgets buckets that are full, and of the rest, if there are more than
// most, the fullest.
func (r *Rate) Expire(ctx context.Context, now time.Time, most int) (int, error) {
	return r.expire(ctx, expiry{table: "bucket", until: "full", before: now.UnixMilli(), most: most})
}
