package tables

import (
	"context"
	"database/sql"
	"os"
	"time"

	"github.com/milterscan/milterscan/policy/keep/store"
)

// file is tables in a file of this host.
type file struct {
	path string
	db   *store.Database
}

// File returns the tables in a file, which is made when it is first used. schema creates everything in it, and is run
// each time it is opened.
func File(path, schema string) Database { return &file{path, store.NewDatabase(path, schema)} }

// Read implements Database.
func (f *file) Read(ctx context.Context, do func(Asker) error) error {
	return f.db.Read(ctx, func(db *sql.DB) error { return do(db) })
}

// Still implements Database.
func (f *file) Still(ctx context.Context, do func(Asker) error) error {
	return f.db.Read(ctx, func(db *sql.DB) error { return still(ctx, db, sql.LevelDefault, do) })
}

// still calls do with a transaction that changes nothing.
func still(ctx context.Context, db *sql.DB, level sql.IsolationLevel, do func(Asker) error) error {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: level})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	return do(tx)
}

// Change implements Database. SQLite has one who writes at a time.
func (f *file) Change(ctx context.Context, do func(Asker) error) error {
	return f.db.Change(ctx, func(tx *sql.Tx) error { return do(tx) })
}

// Remove implements Database.
func (f *file) Remove(ctx context.Context, query string, arg int64) (int, error) {
	return f.db.Remove(ctx, query, arg)
}

// There implements Database.
func (f *file) There() error {
	_, err := os.Stat(f.path)
	return err
}

// Tell implements Database. A file tells nothing to those who wait: they look at it often.
func (f *file) Tell(context.Context, Asker, string) error { return nil }

// Now implements Database.
func (f *file) Now(_ context.Context, _ Asker, here time.Time) (time.Time, error) { return here, nil }

// Place implements Database.
func (f *file) Place() string { return f.path }

// Repeat implements Database.
func (f *file) Repeat(ctx context.Context, in Asker, query string) (func(...any) error, func(), error) {
	prepared, err := in.(*sql.Tx).PrepareContext(ctx, query)
	if err != nil {
		return nil, nil, err
	}
	run := func(args ...any) error { _, err := prepared.ExecContext(ctx, args...); return err }
	return run, func() { prepared.Close() }, nil
}

// Close implements Database. The file is opened again if it is used again.
func (f *file) Close() error { return f.db.Close() }
