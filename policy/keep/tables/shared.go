package tables

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"
	"time"
)

// State is a database that hosts share; fleet.State is one.
type State interface {
	Read(ctx context.Context, do func(*sql.DB) error) error
	Change(ctx context.Context, do func(*sql.Tx) error) error
	Place() string
}

// shared is tables in a database of PostgreSQL.
type shared struct {
	state State
	lock  int64
}

// Shared returns the tables in a database that hosts share. lock is the number of the lock that who changes something
// has until it is committed; each set of tables has its own.
func Shared(state State, lock int64) Database { return &shared{state, lock} }

// Times that calls may take: people wait for them, but no mail.
const (
	callTime     = 10 * time.Second
	longTime     = 2 * time.Minute // for all rows of a table, and for many rows that are written together
	goneTogether = 2000            // rows that Remove deletes in one statement
)

// Read implements Database.
func (s *shared) Read(ctx context.Context, do func(Asker) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return s.state.Read(ctx, func(db *sql.DB) error { return do(translated{ctx, db}) })
}

// Still implements Database.
func (s *shared) Still(ctx context.Context, do func(Asker) error) error {
	ctx, cancel := context.WithTimeout(ctx, longTime)
	defer cancel()
	return s.state.Read(ctx, func(db *sql.DB) error {
		return still(ctx, db, sql.LevelRepeatableRead, func(in Asker) error { return do(translated{ctx, in}) })
	})
}

// Change implements Database. The lock is one of the transaction, so that it goes through poolers of connections, and
// is free when the connection of a host that has died has ended.
func (s *shared) Change(ctx context.Context, do func(Asker) error) error {
	ctx, cancel := context.WithTimeout(ctx, longTime)
	defer cancel()
	return s.state.Change(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, s.lock); err != nil {
			return err
		}
		return do(translated{ctx, tx})
	})
}

// Remove implements Database.
func (s *shared) Remove(ctx context.Context, query string, arg int64) (n int, err error) {
	for {
		var gone int64
		err := s.Change(ctx, func(in Asker) error {
			done, err := in.ExecContext(ctx, query, arg, goneTogether)
			if err != nil {
				return err
			}
			gone, err = done.RowsAffected()
			return err
		})
		if n += int(gone); err != nil || gone == 0 {
			return n, err
		}
	}
}

// There implements Database: whether the tables are there shows when they are used.
func (s *shared) There() error { return nil }

// Tell implements Database.
func (s *shared) Tell(ctx context.Context, in Asker, channel string) error {
	_, err := in.ExecContext(ctx, `SELECT pg_notify(?, '')`, channel)
	return err
}

// Now implements Database.
func (s *shared) Now(ctx context.Context, in Asker, _ time.Time) (now time.Time, err error) {
	err = in.QueryRowContext(ctx, `SELECT clock_timestamp()`).Scan(&now)
	return now, err
}

// Place implements Database.
func (s *shared) Place() string { return "shared database " + s.state.Place() }

// Repeat implements Database. Statements are not prepared: that would not go through poolers of connections.
func (s *shared) Repeat(ctx context.Context, in Asker, query string) (func(...any) error, func(), error) {
	return func(args ...any) error { _, err := in.ExecContext(ctx, query, args...); return err }, func() {}, nil
}

// Close implements Database. The connections are closed by those who have the state.
func (s *shared) Close() error { return nil }

// translated runs statements as PostgreSQL has them, within the time of a call.
type translated struct {
	until context.Context
	in    Asker
}

// ExecContext implements Asker.
func (t translated) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	args, err := values(args)
	if err != nil {
		return nil, err
	}
	return t.in.ExecContext(t.until, translate(query), args...)
}

// QueryContext implements Asker.
func (t translated) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	args, err := values(args)
	if err != nil {
		return nil, err
	}
	return t.in.QueryContext(t.until, translate(query), args...)
}

// QueryRowContext implements Asker.
func (t translated) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if ready, err := values(args); err == nil {
		args = ready
	} // or the driver says the same
	return t.in.QueryRowContext(t.until, translate(query), args...)
}

// values returns arguments as the columns have them: whole numbers of 64 bits, also for true and false, and texts
// that are UTF-8 and hold no NUL.
func values(args []any) ([]any, error) {
	ready := make([]any, len(args))
	for i, arg := range args {
		v, err := driver.DefaultParameterConverter.ConvertValue(arg)
		if err != nil {
			return nil, err
		}
		switch v := v.(type) {
		case bool:
			ready[i] = int64(0)
			if v {
				ready[i] = int64(1)
			}
		case string:
			ready[i] = strings.ReplaceAll(strings.ToValidUTF8(v, "\ufffd"), "\x00", "\ufffd")
		default:
			ready[i] = v
		}
	}
	return ready, nil
}
