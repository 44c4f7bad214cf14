package fleet

import (
	"context"
	"database/sql"
	"time"

	"github.com/milterscan/milterscan/scan/sender/greylist"
)

// Greylist is a greylist.Store that hosts share. It goes by the clock of the database.
type Greylist struct{ state *State }

// Greylist returns the greylist.
func (s *State) Greylist() *Greylist { return &Greylist{s} }

// Try implements greylist.Store. The function that it calls says what greylist.Try.Judge says, in the server.
func (g *Greylist) Try(ctx context.Context, t greylist.Try) (a greylist.Answer, err error) {
	err = g.state.Ask(ctx, func(ctx context.Context, db *sql.DB) error {
		var standing, span int64
		err := db.QueryRowContext(ctx, `SELECT standing, span FROM greylist_try($1, $2, $3, $4, $5, $6, $7, $8)`,
			t.Client[:], t.Pair[:], t.Pass[:], seconds(t.Delay), seconds(t.Window), seconds(t.Keep),
			int64(t.AutoAllow), int64(greylist.Lazily)).Scan(&standing, &span)
		a = greylist.Answer{Standing: greylist.Standing(standing), Span: time.Duration(span) * time.Second}
		return err
	})
	if err != nil {
		return greylist.Answer{}, err
	}
	return a, nil
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// Pass implements greylist.Store.
func (g *Greylist) Pass(ctx context.Context, k greylist.Key, _ time.Time, hold time.Duration) (until time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	var end int64
	err = g.state.Change(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `WITH t AS MATERIALIZED (SELECT floor(extract(epoch FROM clock_timestamp()))::bigint AS now)
			INSERT INTO greylist_seen (key, first_at, until, passed) SELECT $1::bytea, now, now + $2::bigint, 0 FROM t
			ON CONFLICT (key) DO UPDATE SET first_at = excluded.first_at, until = excluded.until RETURNING until`, k[:], seconds(hold)).Scan(&end)
	})
	return time.Unix(end, 0), err
}

// Expire removes entries whose time is over, and if more than most are left, those whose time would be over next.
func (g *Greylist) Expire(ctx context.Context, _ time.Time, most int) (int, error) {
	return g.state.expire(ctx, expiry{table: "greylist_seen", until: "until",
		now: `floor(extract(epoch FROM clock_timestamp()))::bigint`, most: most})
}
