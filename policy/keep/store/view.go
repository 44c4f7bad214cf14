package store

import (
	"context"
	"database/sql"
	"io/fs"
	"net/url"
	"os"
)

// lookers is how many searches may read a database at a time; others wait.
const lookers = 4

// viewOptions are those of connections that only read: they see the database as it was
// when they began, and neither wait for those who write nor hold them up.
const viewOptions = "?mode=rw&_pragma=busy_timeout(100)&_pragma=query_only(1)&_pragma=cache_size(-8192)"

// view reads a database through separate connections.
type view struct {
	path        string
	lock        lock // for what follows
	db          *sql.DB
	opened, log fs.FileInfo
}

// open returns the database that is at the path now, which is there.
func (v *view) open(ctx context.Context) (*sql.DB, error) {
	if err := v.lock.take(ctx); err != nil {
		return nil, err
	}
	defer v.lock.free()
	if v.db != nil && isStill(v.path, v.opened) && (v.log == nil || isStill(v.path+logSuffix, v.log)) {
		return v.db, nil
	}
	v.close()
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: v.path}).EscapedPath()+viewOptions)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(lookers)
	v.db, v.log = db, nil
	if v.opened, err = os.Lstat(v.path); err != nil {
		return nil, err
	}
	if info, err := os.Lstat(v.path + logSuffix); err == nil {
		v.log = info
	}
	return db, nil
}

func (v *view) close() {
	if v.db != nil {
		v.db.Close()
		v.db = nil
	}
}

// Close closes the connections. They are opened again if they are used again.
func (v *view) Close() {
	v.lock.take(context.Background())
	defer v.lock.free()
	v.close()
}

// look calls do with the history as it is now. What do reads is of one moment, and mail does
// not wait for it.
func (h *History) look(ctx context.Context, do func(*sql.Tx) error) error {
	return h.use(ctx, func(*sql.DB) error {
		db, err := h.seen.open(ctx)
		if err != nil {
			return err
		}
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		return do(tx)
	})
}

// Close closes the history. It is opened again if it is used again.
func (h *History) Close() error {
	h.seen.Close()
	return h.file.Close()
}
