package shared

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/policy/keep/postgres"
)

// day is a day of UTC, by its number since 1970.
type day int64

// length is how long a day is, in milliseconds.
const length = int64(24 * time.Hour / time.Millisecond)

// dayOf returns the day of a time in milliseconds.
func dayOf(t int64) day {
	d := t / length
	if t%length < 0 {
		d--
	}
	return day(d)
}

func (d day) begin() int64 { return int64(d) * length }
func (d day) end() int64   { return int64(d+1) * length }

// prefix begins the names of the tables of days.
const prefix = "history_day_"

// table returns the name of the table of a day.
func (d day) table() string {
	return prefix + strings.Replace(strconv.FormatInt(int64(d), 10), "-", "m", 1)
}

// parseDay returns the day of a table.
func parseDay(table string) (day, bool) {
	number, ok := strings.CutPrefix(table, prefix)
	n, err := strconv.ParseInt(strings.Replace(number, "m", "-", 1), 10, 64)
	return day(n), ok && err == nil && day(n).table() == table
}

// lockKey is the number of the lock of who makes or drops a day.
const lockKey = 0x6d73686973646179

// lockWait is how long a change of the tables waits for those who read them. A host that wants to write waits for
// that change.
const lockWait = `SET LOCAL lock_timeout = '2s'`

// makeDays makes the tables of the days of records, unless they are there. Others read and write the other days
// meanwhile.
func (s *Store) makeDays(ctx context.Context, records []policy.Record) error {
	var days []day
	for _, r := range records {
		days = append(days, dayOf(r.Time.UnixMilli()))
	}
	slices.Sort(days)
	for _, d := range slices.Compact(days) {
		if err := s.state.Record(ctx, func(tx *sql.Tx) error { return makeDay(ctx, tx, d) }); err != nil {
			return fmt.Errorf("the table of a day cannot be made: %w", err)
		}
	}
	return nil
}

func makeDay(ctx context.Context, tx *sql.Tx, d day) error {
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(lockKey)); err != nil {
		return err
	}
	var there bool
	if err := tx.QueryRowContext(ctx, `SELECT to_regclass($1) IS NOT NULL`, d.table()).Scan(&there); err != nil || there {
		return err
	}
	for _, query := range []string{
		lockWait,
		fmt.Sprintf(`CREATE TABLE %s (LIKE history INCLUDING ALL)`, d.table()),
		fmt.Sprintf(`ALTER TABLE history ATTACH PARTITION %s FOR VALUES FROM (%d) TO (%d)`, d.table(), d.begin(), d.end()),
	} {
		if _, err := tx.ExecContext(ctx, query); err != nil {
			return err
		}
	}
	return nil
}

// drifts is how far the clock of a host may be ahead of that of the database until it deletes the less.
const drifts = 2 * time.Second

// Expire has records older than before not be found any more, and drops the days of which no other is left. It returns
// how many records went for good. A host whose clock is ahead deletes nothing the sooner for it.
func (s *Store) Expire(ctx context.Context, before time.Time) (n int, err error) {
	ctx, cancel := context.WithTimeout(ctx, holdTime)
	defer cancel()
	var oldest int64
	var tables []string
	err = s.state.Read(ctx, func(db *sql.DB) error {
		var theirs int64
		if err := db.QueryRowContext(ctx,
			`SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint`).Scan(&theirs); err != nil {
			return err
		}
		if ahead := time.Since(time.UnixMilli(theirs)); ahead > drifts {
			before = before.Add(-ahead)
		}
		if err := db.QueryRowContext(ctx, `UPDATE history_extent SET oldest = greatest(oldest, $1) RETURNING oldest`,
			before.UnixMilli()).Scan(&oldest); err != nil {
			return err
		}
		tables, err = each(ctx, db, func(rows *sql.Rows) (name string, err error) { return name, rows.Scan(&name) },
			`SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
			WHERE i.inhparent = 'history'::regclass ORDER BY c.relname`)
		return err
	})
	for _, name := range tables {
		if d, ok := parseDay(name); ok && d.end() <= oldest && err == nil {
			var gone int
			gone, err = s.drop(ctx, d)
			n += gone
		}
	}
	if postgres.Code(err) == postgres.Locked { // by a search; there is a next time
		err = nil
	}
	if err == nil {
		err = s.state.Change(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `DELETE FROM history_block WHERE first IN
				(SELECT first FROM history_block WHERE newest < $1 FOR UPDATE SKIP LOCKED)`, oldest)
			return err
		})
	}
	return n, err
}

// drop drops a day, unless another host does so at this moment. It returns how many records there were.
func (s *Store) drop(ctx context.Context, d day) (n int, err error) {
	err = s.state.Change(ctx, func(tx *sql.Tx) error {
		n = 0
		var mine, there bool
		if err := tx.QueryRowContext(ctx, `SELECT pg_try_advisory_xact_lock($1)`,
			int64(lockKey)).Scan(&mine); err != nil || !mine {
			return err
		}
		if err := tx.QueryRowContext(ctx, `SELECT to_regclass($1) IS NOT NULL`,
			d.table()).Scan(&there); err != nil || !there {
			return err
		}
		for _, query := range []string{lockWait, `DROP TABLE ` + d.table()} {
			if _, err := tx.ExecContext(ctx, query); err != nil {
				return err
			}
		}
		return tx.QueryRowContext(ctx,
			`WITH gone AS (DELETE FROM history_count WHERE hour >= $1 AND hour < $2 RETURNING what, n)
			SELECT coalesce(sum(n), 0)::bigint FROM gone WHERE what = $3`, d.begin()/hour, d.end()/hour, history.ByAction).Scan(&n)
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}
