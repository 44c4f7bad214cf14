package people

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/milterscan/milterscan/policy/keep/tables"
)

// linkSchema is for links in mail that are good once.
const linkSchema = `
CREATE TABLE IF NOT EXISTS link (nonce TEXT PRIMARY KEY, used INTEGER NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS link_expires ON link (expires);
`

// linkGrace is for how long after a link has expired it is remembered that it was used: some hosts
// have clocks that are late.
const linkGrace = 24 * time.Hour

// UseOnce notes that the link with a nonce is used. Of all that ask, at whatever host, one
// is the first. Links that have expired are forgotten by and by.
func (s *Store) UseOnce(ctx context.Context, nonce string, expires time.Time) (first bool, err error) {
	now := time.Now()
	err = s.db().Change(ctx, func(tx tables.Asker) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM link WHERE nonce IN (SELECT nonce FROM link WHERE expires < ? LIMIT 100)`,
			now.Add(-linkGrace).Unix()); err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, `INSERT INTO link (nonce, used, expires) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
			nonce, now.Unix(), expires.Unix())
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		first = n > 0
		return err
	})
	return first && err == nil, err
}

// Unuse makes a link good again that was used for what then was not done.
func (s *Store) Unuse(ctx context.Context, nonce string) error {
	return s.db().Change(ctx, func(tx tables.Asker) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM link WHERE nonce = ?`, nonce)
		return err
	})
}

// Used returns when the link with a nonce was used, the zero time if it was not.
func (s *Store) Used(ctx context.Context, nonce string) (at time.Time, err error) {
	err = s.db().Read(ctx, func(db tables.Asker) error {
		var unix int64
		err := db.QueryRowContext(ctx, `SELECT used FROM link WHERE nonce = ?`, nonce).Scan(&unix)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		at = time.Unix(unix, 0)
		return err
	})
	return at, err
}
