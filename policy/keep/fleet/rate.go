package fleet

import (
	"context"
	"database/sql"
	"time"

	"github.com/milterscan/milterscan/scan/sender/rate"
)

// Rate is a rate.Store that hosts share. It goes by the clock of the database.
type Rate struct{ state *State }

// Rate returns the buckets.
func (s *State) Rate() *Rate { return &Rate{s} }

// take moves the moment at which a bucket is full on by one token, unless it is too far off; and empties one that was used
// while the clock was ahead. It is one statement, and finds or changes a row once. Times are in milliseconds since 1970.
const take = `WITH t AS MATERIALIZED (SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now),
	took AS (INSERT INTO rate_bucket (key, full_at) SELECT $1::bytea, now + $3::bigint FROM t
		ON CONFLICT (key) DO UPDATE SET full_at = greatest(rate_bucket.full_at + $3::bigint, excluded.full_at)
			WHERE greatest(rate_bucket.full_at + $3::bigint, excluded.full_at) <= excluded.full_at - $3::bigint + $2::bigint
		RETURNING 1),
	mended AS (UPDATE rate_bucket SET full_at = t.now + $2::bigint FROM t WHERE key = $1::bytea AND full_at > t.now + $2::bigint)
	SELECT count(*) FROM took`

// Take implements rate.Store.
func (r *Rate) Take(ctx context.Context, k rate.Key, b rate.Bucket, _ time.Time) (ok bool, err error) {
	err = r.state.Ask(ctx, func(ctx context.Context, db *sql.DB) error {
		var n int64
		err := db.QueryRowContext(ctx, take, k[:], b.Size.Milliseconds(), b.Every.Milliseconds()).Scan(&n)
		ok = n > 0
		return err
	})
	return ok, err
}

// Expire forgets buckets that are full, and of the rest, if there are more than most, the fullest.
func (r *Rate) Expire(ctx context.Context, _ time.Time, most int) (int, error) {
	return r.state.expire(ctx, expiry{table: "rate_bucket", until: "full_at",
		now: `(extract(epoch FROM clock_timestamp()) * 1000)::bigint`, most: most})
}
