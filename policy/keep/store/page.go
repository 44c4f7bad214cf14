package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan/sender/contact"
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

// Page returns at most as many rows, those whose keys come after one; nil for the first.
func (c *Contact) Page(ctx context.Context, after []byte, most int) (list []contact.Row, err error) {
	err = c.use(ctx, func(db *sql.DB) (err error) {
		list, err = Rows(ctx, db, func(rows *sql.Rows) (r contact.Row, err error) {
			var key []byte
			var until int64
			err = rows.Scan(&key, &until)
			r.Until = time.Unix(until, 0)
			return r, keyInto(r.Key[:], key, err)
		}, `SELECT key, until FROM pair WHERE key > ? ORDER BY key LIMIT ?`, nonNil(after), most)
		return err
	})
	return list, err
}

// Written is a record with its key in the file. Err says why it cannot be read.
type Written struct {
	Key    int64
	Record policy.Record
	Err    error
}

// Page returns at most as many records, in the order in which they were written, those that come after a key; 0 for
// the first.
func (h *History) Page(ctx context.Context, after int64, most int) (list []Written, err error) {
	err = h.look(ctx, func(tx *sql.Tx) error {
		list, err = Rows(ctx, tx, func(rows *sql.Rows) (w Written, err error) {
			var text sql.RawBytes
			if err := rows.Scan(&w.Key, &text); err != nil {
				return w, err
			}
			if err := json.Unmarshal(text, &w.Record); err != nil {
				w.Err = fmt.Errorf("record %d of the history cannot be read: %w", w.Key, err)
			}
			w.Record.Upgrade()
			return w, nil
		}, `SELECT rowid, record FROM message WHERE rowid > ? ORDER BY rowid LIMIT ?`, after, most)
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
