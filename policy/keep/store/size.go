package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/milterscan/milterscan/policy/disk"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

// onlyRead are options of a connection that is opened for one question, and is in no
// other's way.
const onlyRead = "?mode=ro&_pragma=busy_timeout(100)&_pragma=cache_size(-1024)"

// question asks a database on a separate connection. It makes no database, and
// changes none.
func question(ctx context.Context, path string, do func(*sql.DB) error) error {
	if _, err := regular(path); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+onlyRead)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	if err := errors.Join(do(db), db.Close()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return ctx.Err()
}

// Bytes returns how many bytes a database takes on the disk, with its companions; 0
// if there is none.
func Bytes(path string) (n int64, err error) {
	for _, name := range []string{path, path + logSuffix, path + "-shm"} {
		info, err := os.Stat(name)
		if err == nil {
			n += info.Size()
		} else if !errors.Is(err, fs.ErrNotExist) {
			return n, err
		}
	}
	return n, nil
}

// CountHistory returns how many records the history in a file has. It reads an index
// from one end to the other: a million records take some 20 ms.
func CountHistory(ctx context.Context, path string) (n int64, err error) {
	err = question(ctx, path, func(db *sql.DB) error {
		return db.QueryRowContext(ctx, `SELECT count(*) FROM message`).Scan(&n)
	})
	return n, err
}

// CountIndex returns what the index of a quarantine has, by class and state, or
// quarantine.ErrIncomplete while it may not know all. It is answered by an index alone,
// not by the rows.
func CountIndex(ctx context.Context, path string) (list []quarantine.Size, err error) {
	read := func(rows *sql.Rows) (s quarantine.Size, err error) {
		return s, rows.Scan(&s.Class, &s.State, &s.Messages, &s.Bytes)
	}
	err = question(ctx, path, func(db *sql.DB) error {
		err := complete(ctx, db)
		if err == nil {
			list, err = Rows(ctx, db, read, countIndex)
		}
		return err
	})
	return list, err
}

// The columns of rows that are counted, and the index over them.
const (
	sizeColumns = `row ->> '$.class', row ->> '$.state', row ->> '$.stored'`
	sizeSchema  = `CREATE INDEX IF NOT EXISTS kept_size ON kept (` + sizeColumns + `);` + "\n"
	countIndex  = `SELECT row ->> '$.class', row ->> '$.state', count(*), sum(row ->> '$.stored') FROM kept
		GROUP BY row ->> '$.class', row ->> '$.state'`
)

// Check returns why the history cannot take records now: its directory takes no
// file, or the database no transaction.
func (h *History) Check(ctx context.Context) error {
	if err := disk.Writable(filepath.Dir(h.path)); err != nil {
		return err
	}
	return h.use(ctx, func(db *sql.DB) error {
		tx, err := db.BeginTx(ctx, nil) // which locks it for writing, see options
		if err != nil {
			return err
		}
		return tx.Rollback()
	})
}
