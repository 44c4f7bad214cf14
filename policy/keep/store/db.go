// Package store keeps what has to be found again in SQLite: the history, and the
// index of the quarantine. Each is a separate file, in WAL mode, so that
// several processes of one host may use it at once; the file systems of networks
// cannot do that.
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
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/milterscan/milterscan/policy/disk"
	"github.com/milterscan/milterscan/scan/breaker"
)

// file is a database that is opened when it is first used, made if it is not
// there, and set aside and made again if it is damaged. If a person removes it, or
// puts another in its place, the next call uses that one.
type file struct {
	path    string
	prepare func(context.Context, *sql.DB) error // sees to it that everything is in a database that is opened
	warn    func(error)

	precious bool // a damaged one is left where it is

	reads, writes breaker.Breaker // of mail
	lock          lock            // for what follows
	db            *sql.DB
	opened        fs.FileInfo
	log           fs.FileInfo // the write-ahead log of db; nil if it has none
}

func newFile(path string, prepare func(context.Context, *sql.DB) error, warn func(error)) file {
	return file{path: path, prepare: prepare, warn: warn, lock: make(lock, 1)}
}

// creating returns the preparation of a database whose schema has always been the same. It is
// safe to run on a database that has it.
func creating(schema string) func(context.Context, *sql.DB) error {
	return func(ctx context.Context, db *sql.DB) error {
		_, err := db.ExecContext(ctx, schema)
		return err
	}
}

// options of every connection. A daemon has many messages to keep in memory and
// few pages of this; a commit need not be on the disk at once, but must never
// leave a file that cannot be read. SQLite itself waits for a lock but shortly,
// since it cannot be stopped then; use tries again.
const options = "?_txlock=immediate&_pragma=busy_timeout(100)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)" +
	"&_pragma=cache_size(-1024)&_pragma=journal_size_limit(4194304)"

// patience is how long a call waits while others have the database locked.
const patience = 5 * time.Second

// use calls do with the database, and once more with a new one if it turns out
// to be damaged. While another process has the database locked it is called again,
// until the patience is over or ctx is done.
func (f *file) use(ctx context.Context, do func(*sql.DB) error) error {
	begun := time.Now()
	err := f.try(ctx, do)
	if damaged(err) && !f.precious {
		f.setAside(ctx)
		err = f.try(ctx, do)
	}
	for busy(err) && ctx.Err() == nil && time.Since(begun) < patience {
		err = f.try(ctx, do)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	return nil
}

func (f *file) try(ctx context.Context, do func(*sql.DB) error) error {
	db, err := f.open(ctx)
	if err != nil {
		return err
	}
	return do(db)
}

// open returns the database that is at the path now.
func (f *file) open(ctx context.Context) (*sql.DB, error) {
	if err := f.lock.take(ctx); err != nil {
		return nil, err
	}
	defer f.lock.free()
	if f.db != nil {
		if isStill(f.path, f.opened) && (f.log == nil || isStill(f.path+logSuffix, f.log)) {
			return f.db, nil
		}
		f.close()
	}
	if err := f.make(); err != nil {
		return nil, err
	}
	db, err := f.connect(f.path)
	f.db, f.log = db, nil
	if info, err := os.Lstat(f.path + logSuffix); err == nil {
		f.log = info
	}
	return db, err
}

// logSuffix ends the name of a database's write-ahead log. If another process takes
// the log away, data written to it is in no file any more until the connection
// ends, which writes it to the database.
const logSuffix = "-wal"

// isStill reports whether the file at a path is the one it was.
func isStill(path string, was fs.FileInfo) bool {
	now, err := os.Lstat(path)
	return err == nil && os.SameFile(now, was)
}

// connect opens a database file, and sees to it that everything is in it.
func (f *file) connect(path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+options)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if err := f.prepare(context.Background(), db); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// make makes a database for our own eyes if there is none. It has its name when
// everything is in it: of several that switch one to WAL mode at the same time,
// SQLite lets all but one fail at once, busy_timeout or not.
func (f *file) make() error {
	dir := filepath.Dir(f.path)
	if err := disk.MakeDir(dir); err != nil {
		return err
	}
	var err error
	if f.opened, err = regular(f.path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err = disk.Begin(dir, filepath.Base(f.path), func(fresh string) error {
		db, err := f.connect(fresh)
		if err != nil {
			return err
		}
		return db.Close()
	})
	if err != nil && !errors.Is(err, fs.ErrExist) { // another process was faster
		return err
	}
	f.opened, err = regular(f.path)
	return err
}

// regular describes a file that is one, not a link that leads to another: the directory
// may be of another user than the process.
func regular(path string) (fs.FileInfo, error) {
	info, err := os.Lstat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no regular file: take it away")
	}
	return info, err
}

// Close closes the database. It is opened again if it is used again.
func (f *file) Close() error {
	f.lock.take(context.Background())
	defer f.lock.free()
	return f.close()
}

func (f *file) close() error {
	if f.db == nil {
		return nil
	}
	err := f.db.Close()
	f.db = nil
	return err
}

// busy reports whether an error says that another process has the database locked.
func busy(err error) bool {
	code := codeOf(err)
	return code == sqlite3.SQLITE_BUSY || code == sqlite3.SQLITE_LOCKED
}

// codeOf returns SQLite's code of an error, 0 if it is none of SQLite's.
func codeOf(err error) int {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code() & 0xff
}

// damaged reports whether an error says that a file is no sound database. Pages have no
// checksums: an error in a text shows where an index is made of its contents, and
// no call gets past that.
func damaged(err error) bool {
	code := codeOf(err)
	return code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB ||
		code == sqlite3.SQLITE_ERROR && strings.Contains(err.Error(), "malformed JSON")
}

// setAside renames a damaged database, so that nothing in it is lost and a new
// one is begun. Another process may have done so before.
func (f *file) setAside(ctx context.Context) {
	if f.lock.take(ctx) != nil {
		return
	}
	defer f.lock.free()
	f.close()
	if now, err := os.Lstat(f.path); err != nil || !os.SameFile(now, f.opened) {
		return
	}
	for _, companion := range []string{"-wal", "-shm"} { // of no use to another database
		os.Remove(f.path + companion)
	}
	aside := fmt.Sprintf("%s.damaged-%d", f.path, time.Now().Unix())
	err := os.Rename(f.path, aside)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	f.warn(errors.Join(fmt.Errorf("%s is damaged; it is called %s now, and a new one is begun", f.path, aside), err))
}

// inTransaction commits what do did unless it failed.
func inTransaction(ctx context.Context, db *sql.DB, do func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
