package fleet

import (
	"bytes"
	"context"
	"database/sql"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/milterscan/milterscan/scan/sender/contact"
)

// Contact is a contact.Store that hosts share. It goes by the times that callers name.
type Contact struct{ state *State }

// Contact returns the memory of which authors and recipients know each other.
func (s *State) Contact() *Contact { return &Contact{s} }

// mostKeys is how many keys one statement is for.
const mostKeys = 5000

// Known implements contact.Store.
func (c *Contact) Known(ctx context.Context, keys []contact.Key, now time.Time) (map[contact.Key]bool, error) {
	known := map[contact.Key]bool{}
	for some := range slices.Chunk(keys, mostKeys) {
		err := c.state.Ask(ctx, func(ctx context.Context, db *sql.DB) error {
			rows, err := db.QueryContext(ctx,
				`SELECT key FROM contact_pair WHERE until >= $1 AND key = ANY($2::bytea[])`, now.Unix(), blobs(some))
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var key []byte
				if err := rows.Scan(&key); err != nil {
					return err
				}
				if len(key) == len(contact.Key{}) {
					known[contact.Key(key)] = true
				}
			}
			return rows.Err()
		})
		if err != nil {
			return nil, err
		}
	}
	return known, nil
}

// blobs returns keys as the driver takes them.
func blobs(keys []contact.Key) [][]byte {
	list := make([][]byte, len(keys))
	for i := range keys {
		list[i] = keys[i][:]
	}
	return list
}

// Began implements contact.Store.
func (c *Contact) Began(ctx context.Context) (began time.Time, err error) {
	err = c.state.Ask(ctx, func(ctx context.Context, db *sql.DB) error {
		var at int64
		err := db.QueryRowContext(ctx, `SELECT at FROM contact_began`).Scan(&at)
		began = time.Unix(at, 0)
		return err
	})
	return began, err
}

// seldom is how many seconds longer a key must be remembered before it is written again: most mail is of those who
// wrote a moment ago.
const seldom = 24 * 60 * 60

// remember sets until when keys are known, never to less.
const remember = `INSERT INTO contact_pair AS p (key, until) SELECT * FROM unnest($1::bytea[], $2::bigint[])
	ON CONFLICT (key) DO UPDATE SET until = excluded.until WHERE p.until + $3::bigint <= excluded.until`

// Remember keeps keys until a time, all or none of them. They are written in order, so that two hosts do not wait for
// each other.
func (c *Contact) Remember(ctx context.Context, keys map[contact.Key]time.Time) error {
	sorted := slices.SortedFunc(maps.Keys(keys), func(a, b contact.Key) int { return bytes.Compare(a[:], b[:]) })
	return c.state.Change(ctx, func(tx *sql.Tx) error {
		for some := range slices.Chunk(sorted, mostKeys) {
			until := make([]int64, len(some))
			for i, k := range some {
				until[i] = keys[k].Unix()
			}
			if _, err := tx.ExecContext(ctx, remember, blobs(some), until, int64(seldom)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Expire forgets keys whose time is over, and if more than most are left, those whose time would be over next.
func (c *Contact) Expire(ctx context.Context, now time.Time, most int) (int, error) {
	return c.state.expire(ctx, expiry{table: "contact_pair", until: "until",
		now: strconv.FormatInt(now.Unix(), 10), most: most})
}
