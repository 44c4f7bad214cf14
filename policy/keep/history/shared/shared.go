// Package shared keeps records of messages in tables of PostgreSQL, as a history that several hosts share.
package shared

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/find"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/policy/keep/postgres"
)

// State is the database; fleet.State is one.
type State interface {
	Read(ctx context.Context, do func(*sql.DB) error) error
	// Change commits what do did unless it failed. do may be called again.
	Change(ctx context.Context, do func(*sql.Tx) error) error
	// Record is Change over a connection that waits for none of the others: who writes records does not wait for searches.
	Record(ctx context.Context, do func(*sql.Tx) error) error
}

// Store is a history.Store in the tables of file "history" of the layout.
type Store struct {
	// Sizes are those of the blocks that Index makes.
	Sizes find.Sizes

	state State
	host  string
}

// New returns the history in a database. host is what this host is called in it.
func New(s State, host string) *Store { return &Store{find.Usual, s, host} }

// How long the database may take for one call: for all, and where every record is asked for something.
const (
	callTime = 20 * time.Second
	holdTime = 5 * time.Minute
)

// hour is what counts are added up by, in milliseconds.
const hour = int64(time.Hour / time.Millisecond)

// insert writes records and their counts in one statement. Its first step has hosts write one after the other, so
// that keys become visible in their order. A record that is there already is left alone and not counted again; one
// that has expired is not written.
const insert = `WITH k AS (UPDATE history_extent SET next = next + $1::bigint RETURNING next - $1::bigint AS first, oldest),
	new AS (INSERT INTO history (time, key, id, queue, mid, host, record)
		SELECT g.time, k.first + g.n - 1, g.id, nullif(g.queue, 0), nullif(g.mid, 0), g.host, g.record
		FROM k, unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[])
			WITH ORDINALITY AS g (id, time, queue, mid, host, record, n)
		WHERE g.time >= k.oldest ORDER BY g.n
		ON CONFLICT (id, time) DO NOTHING RETURNING key),
	counted AS (INSERT INTO history_count AS h (what, hour, value, n)
		SELECT g.what, g.hour, g.value, sum(g.n)::bigint
		FROM k, new, unnest($8::bigint[], $9::text[], $10::bigint[], $11::text[], $12::bigint[]) AS g (of, what, hour, value, n)
		WHERE new.key = k.first + g.of GROUP BY g.what, g.hour, g.value ORDER BY g.what, g.hour, g.value
		ON CONFLICT (what, hour, value) DO UPDATE SET n = h.n + excluded.n)
	SELECT count(*) FROM new`

// uncompiled has the server run the statements of a transaction as they are. It takes those that are here for long ones, and
// would compile each anew, which takes many times as long as running it.
const uncompiled = `SET LOCAL jit = off`

// Append adds records in one transaction. A record without a host gets this one.
func (s *Store) Append(ctx context.Context, records []policy.Record) error {
	_, err := s.Add(ctx, records)
	return err
}

// Add is Append, and returns how many records were not there before.
func (s *Store) Add(ctx context.Context, records []policy.Record) (n int, err error) {
	if len(records) == 0 {
		return 0, nil
	}
	args := columns(records, s.host)
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	add := func() error {
		return s.state.Record(ctx, func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, uncompiled); err != nil {
				return err
			}
			return tx.QueryRowContext(ctx, insert, args...).Scan(&n)
		})
	}
	err = add()
	if postgres.Code(err) != postgres.NoPartition {
		return n, err
	}
	if err := s.makeDays(ctx, records); err != nil {
		return 0, err
	}
	err = add()
	return n, err
}

// Oldest returns from when on records are shown: older ones have expired.
func (s *Store) Oldest(ctx context.Context) (oldest time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	err = s.state.Read(ctx, func(db *sql.DB) error {
		var at int64
		err := db.QueryRowContext(ctx, `SELECT oldest FROM history_extent`).Scan(&at)
		oldest = time.UnixMilli(at)
		return err
	})
	return oldest, err
}

// columns returns the arguments of insert.
func columns(records []policy.Record, host string) []any {
	var ids, hosts, texts, whats, values []string
	var times, queues, mids, of, hours, ns []int64
	for i, r := range records {
		if r.Host == "" {
			r.Host = host
		}
		at := r.Time.UnixMilli()
		ids, hosts, texts = append(ids, postgres.Key(r.ID)), append(hosts, postgres.Key(r.Host)), append(texts, string(r.JSON()))
		times, queues, mids = append(times, at), append(queues, hashed(r.QueueID)), append(mids, hashed(r.MessageID))
		for _, c := range history.CountsOf(r) {
			of, hours, ns = append(of, int64(i)), append(hours, at/hour), append(ns, c.N)
			whats, values = append(whats, c.What), append(values, postgres.Key(c.Value))
		}
	}
	return []any{int64(len(records)), ids, times, queues, mids, hosts, texts, of, whats, hours, values, ns}
}

// hashed returns a number for a text, 0 for none.
func hashed(s string) int64 { return int64(find.Hash(s)) }

// Lookup finds records by any of three ids, or by the beginning of ours.
func (s *Store) Lookup(ctx context.Context, key string) (list []policy.Record, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	const columns = `SELECT record FROM history WHERE time >= (SELECT oldest FROM history_extent) AND `
	return history.LookUp(key, func(key string) ([]policy.Record, error) {
		return rows(ctx, s.state, scanRecord, columns+`(id = $1 OR queue = $2 OR mid = $2) ORDER BY time DESC`,
			postgres.Key(key), hashed(key))
	}, func(key string, most int) ([]policy.Record, error) {
		key = postgres.Key(key)
		return rows(ctx, s.state, scanRecord, columns+`id >= $1 AND id < $1::text || '~' ORDER BY time DESC LIMIT $2`,
			key, int64(most))
	})
}

func scanRecord(rows *sql.Rows) (r policy.Record, err error) {
	var text sql.RawBytes
	if err := rows.Scan(&text); err != nil {
		return r, err
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("a record of the history cannot be read: %w", err)
	}
	r.Upgrade()
	return r, nil
}

// rows asks a query, and returns what scan makes of each row of the answer.
func rows[T any](ctx context.Context, s State, scan func(*sql.Rows) (T, error), query string,
	args ...any) (list []T, err error) {
	err = s.Read(ctx, func(db *sql.DB) error {
		list, err = each(ctx, db, scan, query, args...)
		return err
	})
	return list, err
}

// asker is a database or a transaction.
type asker interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// each returns what scan makes of each row of an answer.
func each[T any](ctx context.Context, db asker, scan func(*sql.Rows) (T, error), query string,
	args ...any) (list []T, err error) {
	found, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	for found.Next() {
		one, err := scan(found)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, found.Err()
}

// Counts adds up the counts of all hours since.
func (s *Store) Counts(ctx context.Context, since time.Time) ([]history.Count, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	scan := func(rows *sql.Rows) (c history.Count, err error) { return c, rows.Scan(&c.What, &c.Value, &c.N) }
	return rows(ctx, s.state, scan, `SELECT what, value, sum(n)::bigint FROM history_count
		WHERE hour >= greatest($1::bigint, (SELECT oldest / $2::bigint FROM history_extent))
		GROUP BY what, value ORDER BY 3 DESC, 2`, since.UnixMilli()/hour, hour)
}

// mostHours is how many counts are returned hour by hour.
const mostHours = 24 * 400 * 16

// Hours returns one kind of counts, see history.Counted, hour by hour from the beginning of since's.
func (s *Store) Hours(ctx context.Context, what string, since time.Time) ([]history.Hour, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	scan := func(rows *sql.Rows) (h history.Hour, err error) {
		var at int64
		err = rows.Scan(&at, &h.Value, &h.N)
		h.Begin = time.UnixMilli(at * hour)
		return h, err
	}
	return rows(ctx, s.state, scan, `SELECT hour, value, n FROM history_count
		WHERE what = $1 AND hour >= greatest($2::bigint, (SELECT oldest / $3::bigint FROM history_extent))
		ORDER BY hour LIMIT $4`, what, since.UnixMilli()/hour, hour, int64(mostHours))
}

// Size returns how many records there are, and how many bytes all of it takes in the database.
func (s *Store) Size(ctx context.Context) (records, bytes int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	err = s.state.Read(ctx, func(db *sql.DB) error {
		return db.QueryRowContext(ctx, `SELECT
			(SELECT coalesce(sum(n), 0)::bigint FROM history_count WHERE what = $1
				AND hour >= (SELECT oldest / $2::bigint FROM history_extent)),
			(SELECT coalesce(sum(pg_total_relation_size(inhrelid)), 0)::bigint FROM pg_inherits WHERE inhparent = 'history'::regclass)
				+ pg_total_relation_size('history_part') + pg_total_relation_size('history_block')
				+ pg_total_relation_size('history_count')`, history.ByAction, hour).Scan(&records, &bytes)
	})
	return records, bytes, err
}

var errStandby = errors.New("the server is a standby, and takes no records")

// Check returns why no records can be taken now.
func (s *Store) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return s.state.Read(ctx, func(db *sql.DB) error {
		var standby bool
		var next int64
		err := db.QueryRowContext(ctx, `SELECT pg_is_in_recovery(), next FROM history_extent`).Scan(&standby, &next)
		if err == nil && standby {
			err = errStandby
		}
		return err
	})
}

// Close has no effect: the connections are those of the state.
func (s *Store) Close() error { return nil }
