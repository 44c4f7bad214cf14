// Package tables runs the same statements on tables in a file of SQLite, for a host by itself, and in PostgreSQL, for
// hosts that share them. Statements are written as SQLite has them; what PostgreSQL has other words for is translated.
package tables

import (
	"context"
	"database/sql"
	"time"

	"github.com/milterscan/milterscan/policy/keep/store"
)

// Asker runs statements: a database, or one transaction of it.
type Asker interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Database is where tables are. It may be used by several goroutines at once, and by several processes. Of those that
// change something one does so at a time, also of several hosts: what a change has read stays true until it is
// committed.
type Database interface {
	// Read calls do with the database.
	Read(ctx context.Context, do func(Asker) error) error
	// Still calls do with what the database holds at one moment.
	Still(ctx context.Context, do func(Asker) error) error
	// Change commits what do did unless it failed. do may be called again.
	Change(ctx context.Context, do func(Asker) error) error
	// Remove runs a query that deletes at most as many rows as its last argument says, until it finds no more. It
	// returns how many rows went.
	Remove(ctx context.Context, query string, arg int64) (int, error)
	// There returns nil if the tables are there. Where the error is an fs.ErrNotExist nothing was ever kept.
	There() error
	// Tell has those who listen on a channel hear of the change that is made by an Asker, when it is committed.
	Tell(ctx context.Context, in Asker, channel string) error
	// Now returns the time by which it goes for how long one of several may have something to itself: that of the clock
	// which hosts that share tables have in common; here, the time of this host, for a file that no other host has.
	Now(ctx context.Context, in Asker, here time.Time) (time.Time, error)
	// Place says where the tables are, for messages.
	Place() string
	// Repeat prepares a statement that is run many times by an Asker. It returns what runs it and what ends it.
	Repeat(ctx context.Context, in Asker, query string) (run func(args ...any) error, end func(), err error)
	Close() error
}

// Rows asks a query, and returns what read makes of each row of the answer.
func Rows[T any](ctx context.Context, in Asker, read func(*sql.Rows) (T, error), query string,
	args ...any) ([]T, error) {
	return store.Rows(ctx, in, read, query, args...)
}
