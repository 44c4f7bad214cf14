package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/milterscan/milterscan/scan/sender/greylist"
	"github.com/milterscan/milterscan/scan/sender/rate"
)

// Page returns at most as many rows, those whose keys come after one; nil for the first.
func (g *Greylist) Page(ctx context.Context, after []byte, most int) (list []greylist.Row, err error) {
	err = g.use(ctx, func(db *sql.DB) (err error) {
		list, err = Rows(ctx, db, func(rows *sql.Rows) (r greylist.Row, err error) {
			var key []byte
			var first, until int64
			err = rows.Scan(&key, &first, &until, &r.Passed)
			r.First, r.Until = time.Unix(first, 0), time.Unix(until, 0)
			return r, keyInto(r.Key[:], key, err)
		}, `SELECT key, first, until, passed FROM seen WHERE key > ? ORDER BY key LIMIT ?`, nonNil(after), most)
		return err
	})
	return list, err
}

// Page returns at most as many rows, those whose keys come after one; nil for the first.
func (r *Rate) Page(ctx context.Context, after []byte, most int) (list []rate.Row, err error) {
	err = r.use(ctx, func(db *sql.DB) (err error) {
		list, err = Rows(ctx, db, func(rows *sql.Rows) (r rate.Row, err error) {
			var key []byte
			var full int64
			err = rows.Scan(&key, &full)
			r.Full = time.UnixMilli(full)
			return r, keyInto(r.Key[:], key, err)
		}, `SELECT key, full FROM bucket WHERE key > ? ORDER BY key LIMIT ?`, nonNil(after), most)
		return err
	})
	return list, err
}

// nonNil returns a key that is not NULL, with which nothing can be compared.
func nonNil(key []byte) []byte { return append([]byte{}, key...) }

// keyInto copies a key that was read, unless reading it failed.
func keyInto(to, from []byte, err error) error {
	if err == nil && len(from) != len(to) {
		err = fmt.Errorf("a key has %d bytes, and not %d", len(from), len(to))
	}
	copy(to, from)
	return err
}
