package fleet

import (
	"context"
	"database/sql"
	"time"

	"github.com/milterscan/milterscan/scan/sender/contact"
	"github.com/milterscan/milterscan/scan/sender/greylist"
	"github.com/milterscan/milterscan/scan/sender/rate"
)

// addTime is how long some rows may take to be added.
const addTime = 20 * time.Second

// Add adds rows of another greylist, and returns how many of them are here then: those whose time is not over. A key
// that is known here as well keeps the better of both. Rows may be added again.
func (g *Greylist) Add(ctx context.Context, rows []greylist.Row) (here int, err error) {
	keys, first, until, passed := make([][]byte, len(rows)),
		make([]int64, len(rows)), make([]int64, len(rows)), make([]int64, len(rows))
	for i, r := range rows {
		keys[i], first[i], until[i], passed[i] = r.Key[:], r.First.Unix(), r.Until.Unix(), int64(r.Passed)
	}
	return g.state.add(ctx, `INSERT INTO greylist_seen AS g (key, first_at, until, passed)
		SELECT key, first, until, passed::integer
			FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[]) AS r (key, first, until, passed)
			WHERE until >= floor(extract(epoch FROM clock_timestamp()))::bigint
		ON CONFLICT (key) DO UPDATE SET first_at = least(g.first_at, excluded.first_at),
			until = greatest(g.until, excluded.until), passed = greatest(g.passed, excluded.passed)`,
		"greylist_seen", keys, first, until, passed)
}

// Add adds rows of other buckets, and returns how many of them are here then: those that are not full. A bucket that
// is used here as well keeps the fewer tokens of both. Rows may be added again.
func (r *Rate) Add(ctx context.Context, rows []rate.Row) (here int, err error) {
	keys, full := make([][]byte, len(rows)), make([]int64, len(rows))
	for i, r := range rows {
		keys[i], full[i] = r.Key[:], r.Full.UnixMilli()
	}
	return r.state.add(ctx, `INSERT INTO rate_bucket AS b (key, full_at)
		SELECT key, full_at FROM unnest($1::bytea[], $2::bigint[]) AS r (key, full_at)
			WHERE full_at >= (extract(epoch FROM clock_timestamp()) * 1000)::bigint
		ON CONFLICT (key) DO UPDATE SET full_at = greatest(b.full_at, excluded.full_at)`, "rate_bucket", keys, full)
}

// Add adds keys of another memory, and returns how many of them are here then: those whose time is not over. A key that
// is known here as well keeps the later of both times. Rows may be added again.
func (c *Contact) Add(ctx context.Context, rows []contact.Row) (here int, err error) {
	keys, until := make([][]byte, len(rows)), make([]int64, len(rows))
	for i, r := range rows {
		keys[i], until[i] = r.Key[:], r.Until.Unix()
	}
	return c.state.add(ctx, `INSERT INTO contact_pair AS p (key, until)
		SELECT key, until FROM unnest($1::bytea[], $2::bigint[]) AS r (key, until)
			WHERE until >= floor(extract(epoch FROM clock_timestamp()))::bigint ORDER BY key
		ON CONFLICT (key) DO UPDATE SET until = greatest(p.until, excluded.until)`, "contact_pair", keys, until)
}

// Since notes that all that was remembered elsewhere since a time is here now.
func (c *Contact) Since(ctx context.Context, began time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, addTime)
	defer cancel()
	return c.state.Change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE contact_began SET at = least(at, $1)`, began.Unix())
		return err
	})
}

// add runs a statement whose first argument is keys, and returns how many of them a table has then.
func (s *State) add(ctx context.Context, query, table string, keys [][]byte, args ...any) (here int, err error) {
	ctx, cancel := context.WithTimeout(ctx, addTime)
	defer cancel()
	err = s.Change(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, query, append([]any{keys}, args...)...); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT count(*) FROM `+table+` WHERE key = ANY($1::bytea[])`, keys).Scan(&here)
	})
	return here, err
}
