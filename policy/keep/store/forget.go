package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// slice is how many records are deleted in one transaction: others wait for it.
const slice = 500

// Expire deletes records and counts.
func (h *History) Expire(ctx context.Context, before time.Time) (n int, err error) {
	for {
		var gone int64
		err := h.use(ctx, func(db *sql.DB) error {
			r, err := db.ExecContext(ctx, `DELETE FROM message WHERE rowid IN (SELECT rowid FROM message WHERE time < ? ORDER BY time LIMIT ?)`,
				before.UnixMilli(), slice)
			if err != nil {
				return err
			}
			gone, err = r.RowsAffected()
			return err
		})
		n += int(gone)
		if err != nil {
			return n, err
		}
		if gone == 0 {
			return n, errors.Join(h.expireBlocks(ctx, before), h.expireCounts(ctx, before))
		}
	}
}

func (h *History) expireCounts(ctx context.Context, before time.Time) error {
	return h.use(ctx, func(db *sql.DB) error {
		_, err := db.ExecContext(ctx, `DELETE FROM count WHERE hour < ?`, before.UnixMilli()/hour)
		return err
	})
}

// expireBlocks deletes the blocks of which no record is left, one at a time. It comes after
// the records: a record in no block that should be in one is not found.
func (h *History) expireBlocks(ctx context.Context, before time.Time) error {
	for gone := true; gone; {
		gone = false
		if err := h.use(ctx, func(db *sql.DB) error {
			return inTransaction(ctx, db, func(tx *sql.Tx) error {
				version, err := versionOf(ctx, tx)
				if err != nil || version < historyVersion {
					return err
				}
				var first, last int64
				err = tx.QueryRowContext(ctx, `SELECT first, last FROM block WHERE newest < ? LIMIT 1`, before.UnixMilli()).Scan(&first, &last)
				if errors.Is(err, sql.ErrNoRows) {
					return nil
				}
				if err == nil {
					gone, err = dropBlock(ctx, tx, first, last)
				}
				return err
			})
		}); err != nil {
			return err
		}
	}
	return nil
}
