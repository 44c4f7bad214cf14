package store

import (
	"context"
	"database/sql"
	"net/url"
)

// Database is a database whose tables another package knows, such as the accounts of the
// console. One that is damaged is not set aside and begun again: calls fail until
// a person has mended it.
type Database struct{ file }

// NewDatabase returns the database in a file. schema creates everything in it, and is run
// each time it is opened.
func NewDatabase(path, schema string) *Database {
	d := &Database{newFile(path, creating(schema), func(error) {})}
	d.precious = true
	return d
}

// Read calls do with the database, again while another process has it locked.
func (d *Database) Read(ctx context.Context, do func(*sql.DB) error) error { return d.use(ctx, do) }

// Change commits what do did unless it failed. do is called again while another process
// has the database locked.
func (d *Database) Change(ctx context.Context, do func(*sql.Tx) error) error {
	return d.use(ctx, func(db *sql.DB) error { return inTransaction(ctx, db, do) })
}

// Remove runs a query that deletes at most as many rows as its last argument says, until it
// finds no more: no other process waits long. It returns how many rows went.
func (d *Database) Remove(ctx context.Context, query string, arg int64) (int, error) {
	return d.remove(ctx, query, arg)
}

// OpenForeign opens a database of another program, to read it: nothing in it is changed, and nothing is made if
// it is not there. The caller closes it.
func OpenForeign(path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=ro&_pragma=busy_timeout(5000)&_pragma=query_only(1)")
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return db, err
}
