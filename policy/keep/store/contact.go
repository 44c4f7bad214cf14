package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan/sender/contact"
)

// Contact is a contact.Store in a file.
type Contact struct{ file }

// Times are in seconds since 1970. began has one row: when the file was made.
const contactSchema = `
CREATE TABLE IF NOT EXISTS pair (key BLOB PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pair_until ON pair (until);
CREATE TABLE IF NOT EXISTS began (one INTEGER PRIMARY KEY CHECK (one = 1), at INTEGER NOT NULL);
INSERT OR IGNORE INTO began VALUES (1, unixepoch());
`

// NewContact returns the contacts that a file remembers. warn is told when the file was damaged.
func NewContact(path string, warn func(error)) *Contact {
	return &Contact{newFile(path, creating(contactSchema), warn)}
}

// keysAtOnce is how many keys one query asks for.
const keysAtOnce = 500

// Known implements contact.Store.
func (c *Contact) Known(ctx context.Context, keys []contact.Key, now time.Time) (map[contact.Key]bool, error) {
	known := map[contact.Key]bool{}
	for some := range slices.Chunk(keys, keysAtOnce) {
		args := []any{now.Unix()}
		for _, k := range some {
			args = append(args, k[:])
		}
		query := `SELECT key FROM pair WHERE until >= ? AND key IN (?` + strings.Repeat(", ?", len(some)-1) + `)`
		err := c.read(ctx, func(ctx context.Context, db *sql.DB) error {
			_, err := Rows(ctx, db, func(r *sql.Rows) (struct{}, error) {
				var key []byte
				err := r.Scan(&key)
				if err == nil && len(key) == len(contact.Key{}) {
					known[contact.Key(key)] = true
				}
				return struct{}{}, err
			}, query, args...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return known, nil
}

// Began implements contact.Store.
func (c *Contact) Began(ctx context.Context) (began time.Time, err error) {
	err = c.read(ctx, func(ctx context.Context, db *sql.DB) error {
		var at int64
		err := db.QueryRowContext(ctx, `SELECT at FROM began`).Scan(&at)
		began = time.Unix(at, 0)
		return err
	})
	return began, err
}

// seldom is how many seconds longer a key must be remembered before it is written again: most
// mail is of those who wrote a moment ago.
const seldom = 24 * 60 * 60

// remember sets until when a key is known, never to less.
const remember = `INSERT INTO pair (key, until) VALUES (?1, ?2)
	ON CONFLICT DO UPDATE SET until = ?2 WHERE until + ?3 <= ?2`

// Remember keeps keys until a time, all or none of them.
func (c *Contact) Remember(ctx context.Context, keys map[contact.Key]time.Time) error {
	return c.use(ctx, func(db *sql.DB) error {
		return inTransaction(ctx, db, func(tx *sql.Tx) error {
			put, err := tx.PrepareContext(ctx, remember)
			if err != nil {
				return err
			}
			for k, until := range keys {
				if _, err := put.ExecContext(ctx, k[:], until.Unix(), seldom); err != nil {
					return errors.Join(err, put.Close())
				}
			}
			return put.Close()
		})
	})
}

// Expire forgets keys whose time is over, and if more than most are left, those whose time
// would be over next.
func (c *Contact) Expire(ctx context.Context, now time.Time, most int) (int, error) {
	return c.expire(ctx, expiry{table: "pair", until: "until", before: now.Unix(), most: most})
}
