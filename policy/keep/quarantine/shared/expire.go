package shared

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

// expired is how many messages one transaction deletes: few enough that no other waits long.
const expired = 200

// removing deletes what old selects, and writes that down.
const removing = `, gone AS (DELETE FROM quarantine AS q USING old WHERE q.id = old.id RETURNING q.id)
	INSERT INTO quarantine_audit (at, id, event) SELECT clock_timestamp(), id, $1::text::jsonb FROM gone`

// byAge selects messages older than the bound of their class; a host that expires at the same time takes others.
const byAge = `WITH bound AS (SELECT * FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS b (class, since, unasked)),
	old AS (SELECT q.id FROM quarantine AS q LEFT JOIN bound AS b ON b.class = q.class
		WHERE q.state <> 'releasing' AND q.time < $7
			AND q.time < CASE WHEN q.unasked THEN coalesce(b.unasked, $6) ELSE coalesce(b.since, $5) END
		ORDER BY q.time LIMIT $8 FOR UPDATE OF q SKIP LOCKED)`

// bySize selects the first that go until there is room for the rest.
const bySize = `WITH first AS (SELECT id, unasked, time, stored FROM quarantine WHERE state <> 'releasing' AND unasked >= $2
		ORDER BY unasked DESC, time, id LIMIT $4 FOR UPDATE),
	old AS (SELECT id FROM
		(SELECT id, sum(stored) OVER (ORDER BY unasked DESC, time, id) - stored AS sooner FROM first) AS f
		WHERE sooner < $3)`

// sizeLock is the number of the lock of who expires by size: two would each make all the room.
const sizeLock = 0x6d73717561727369

// Expire deletes messages too old for their class, and then the oldest until the rest is small enough, in small steps. It
// returns how many went by this call.
func (s *Store) Expire(ctx context.Context, r quarantine.Retention, now time.Time) (int, error) {
	args := bounds(r, now)
	n, err := s.steps(ctx, func(tx *sql.Tx) (int64, error) { return s.discard(ctx, tx, byAge, "age", now, args...) })
	for _, limit := range []struct {
		unasked bool // only those that no sender has asked for
		bytes   int64
	}{{true, r.Unasked.Size}, {false, r.Size}} {
		if limit.bytes <= 0 || err != nil {
			continue
		}
		var more int
		more, err = s.steps(ctx, func(tx *sql.Tx) (int64, error) { return s.shrink(ctx, tx, limit.unasked, limit.bytes, now) })
		n += more
	}
	return n, errors.Join(err, s.sweep(ctx, now))
}

// bounds returns the arguments of byAge after the first.
func bounds(r quarantine.Retention, now time.Time) []any {
	milli := func(t time.Time) int64 { // those received before are too old
		if t.IsZero() {
			return -1 << 62
		}
		return t.UnixMilli()
	}
	classes, others := r.Bounds(now)
	var names []string
	var kept, unasked []int64
	latest := max(milli(others.Since), milli(others.Unasked))
	for name, b := range classes {
		names, kept, unasked = append(names, name), append(kept, milli(b.Since)), append(unasked, milli(b.Unasked))
		latest = max(latest, milli(b.Since), milli(b.Unasked))
	}
	return []any{names, kept, unasked, milli(others.Since), milli(others.Unasked), latest, int64(expired)}
}

// steps has do delete something until it finds no more to delete.
func (s *Store) steps(ctx context.Context, do func(*sql.Tx) (int64, error)) (all int, err error) {
	for {
		var n int64
		ctx, cancel := context.WithTimeout(ctx, callTime)
		err := s.state.Change(ctx, func(tx *sql.Tx) (err error) {
			n, err = do(tx)
			return err
		})
		cancel()
		if err != nil {
			return all, err
		}
		if all += int(n); n == 0 {
			return all, nil
		}
	}
}

// discard deletes what a statement selects.
func (s *Store) discard(ctx context.Context, tx *sql.Tx, old, why string, now time.Time, args ...any) (int64, error) {
	event, err := json.Marshal(quarantine.Event{Time: now, What: "expire", By: "milterscan", Note: why})
	if err != nil {
		return 0, err
	}
	gone, err := tx.ExecContext(ctx, old+removing, append([]any{string(event)}, args...)...)
	if err != nil {
		return 0, err
	}
	return gone.RowsAffected()
}

// shrink deletes some messages if all together are larger than some bytes. Where another host does so at this moment, it
// leaves that to it.
func (s *Store) shrink(ctx context.Context, tx *sql.Tx, unasked bool, bytes int64, now time.Time) (int64, error) {
	var mine bool
	if err := tx.QueryRowContext(ctx, `SELECT pg_try_advisory_xact_lock($1)`, int64(sizeLock)).Scan(&mine); err != nil || !mine {
		return 0, err
	}
	var used int64
	err := tx.QueryRowContext(ctx, `SELECT coalesce(sum(stored), 0)::bigint FROM quarantine WHERE unasked >= $1`,
		unasked).Scan(&used)
	if err != nil || used <= bytes {
		return 0, err
	}
	return s.discard(ctx, tx, bySize, "size", now, unasked, used-bytes, int64(expired))
}

// UnaskedBytes returns how many bytes wait for senders to ask for them.
func (s *Store) UnaskedBytes(ctx context.Context) (bytes int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	err = s.state.Read(ctx, func(db *sql.DB) error {
		return db.QueryRowContext(ctx, `SELECT coalesce(sum(stored), 0)::bigint FROM quarantine WHERE unasked`).Scan(&bytes)
	})
	return bytes, err
}

// Sizes returns how much is kept, by class and state.
func (s *Store) Sizes(ctx context.Context) (list []quarantine.Size, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	err = s.state.Read(ctx, func(db *sql.DB) error {
		rows, err := db.QueryContext(ctx, `SELECT class, state, count(*), sum(stored)::bigint FROM quarantine
			GROUP BY class, state ORDER BY class, state`)
		if err != nil {
			return err
		}
		defer rows.Close()
		list = nil
		for rows.Next() {
			var one quarantine.Size
			if err := rows.Scan(&one.Class, &one.State, &one.Messages, &one.Bytes); err != nil {
				return err
			}
			list = append(list, one)
		}
		return rows.Err()
	})
	return list, err
}
