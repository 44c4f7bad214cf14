package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/find"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// History keeps the records of messages in a file. It is a history.Appender, a
// history.Reader and a history.Expirer.
type History struct {
	file
	seen   view // of the same file, for searches
	sizes  find.Sizes
	recent recent
}

// NewHistory returns the history in a file. warn is told when it was damaged.
func NewHistory(path string, warn func(error)) *History {
	return &History{file: newFile(path, prepareHistory, warn),
		seen: view{path: path, lock: make(lock, 1)}, sizes: find.Usual}
}

// hour is what counts are added up by, in milliseconds.
const hour = int64(time.Hour / time.Millisecond)

// counted is one row of counts.
type counted struct {
	hour        int64
	what, value string
}

// Append adds records in one transaction.
func (h *History) Append(ctx context.Context, records []policy.Record) error {
	var e find.Extent
	var written run
	err := h.use(ctx, func(db *sql.DB) error {
		return inTransaction(ctx, db, func(tx *sql.Tx) error {
			if err := upgradeHistory(ctx, tx); err != nil {
				return err
			}
			counts := map[counted]int64{}
			for _, r := range records {
				for _, c := range history.CountsOf(r) {
					counts[counted{r.Time.UnixMilli() / hour, c.What, c.Value}] += c.N
				}
			}
			if err := addCounts(ctx, tx, counts); err != nil {
				return err
			}
			var err error
			e, written, err = addRecords(ctx, tx, records)
			return err
		})
	})
	if err != nil {
		return err
	}
	h.recent.join(written, backlog*h.sizes.Small)
	if n := e.Next - e.High; n >= int64(h.sizes.Small) && (e.High >= h.recent.start() || n >= int64(backlog*h.sizes.Small)) {
		h.Index(ctx) // what fails here is tried again with the next records
	}
	return nil
}

// addRecords gives out the next keys to records. It returns the extent as it is then, and what of them is to be kept for
// the index.
func addRecords(ctx context.Context, tx *sql.Tx, records []policy.Record) (e find.Extent, w run, err error) {
	if e, err = extentOf(ctx, tx); err != nil {
		return e, w, err
	}
	insert, err := tx.PrepareContext(ctx,
		`INSERT OR REPLACE INTO message (rowid, id, time, queue, mid, action, sender, recipients, record, version)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return e, w, err
	}
	defer insert.Close()
	for _, r := range records {
		text := r.JSON()
		if err := add(ctx, insert, e.Next, r, text); err != nil {
			return e, w, err
		}
		w.add(e.Next, r, text)
		e.Next++
	}
	_, err = tx.ExecContext(ctx, `UPDATE extent SET next = ?`, e.Next)
	return e, w, err
}

func add(ctx context.Context, insert *sql.Stmt, key int64, r policy.Record, text []byte) error {
	_, err := insert.ExecContext(ctx, key, r.ID, r.Time.UnixMilli(), hashed(r.QueueID), hashed(r.MessageID),
		actions(r), r.Sender, strings.Join(r.Addresses(), " "), string(text), historyVersion)
	return err
}

// actions returns the action for the message, and those for single recipients.
func actions(r policy.Record) string {
	list := []string{r.Action}
	for _, to := range r.Recipients {
		if !slices.Contains(list, to.Action) {
			list = append(list, to.Action)
		}
	}
	return strings.Join(list, " ")
}

// hashed returns a number for a text, nil for none.
func hashed(s string) any {
	if s == "" {
		return nil
	}
	return int64(find.Hash(s))
}

func addCounts(ctx context.Context, tx *sql.Tx, counts map[counted]int64) error {
	insert, err := tx.PrepareContext(ctx,
		`INSERT INTO count (hour, what, value, n) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n`)
	if err != nil {
		return err
	}
	for c, n := range counts {
		if _, err := insert.ExecContext(ctx, c.hour, c.what, c.value, n); err != nil {
			return err
		}
	}
	return nil
}

// Lookup finds records by any of three ids, or by the beginning of ours.
func (h *History) Lookup(ctx context.Context, key string) ([]policy.Record, error) {
	return history.LookUp(key, func(key string) ([]policy.Record, error) {
		return h.records(ctx, `SELECT record FROM message WHERE id = ?1 OR queue = ?2 OR mid = ?2 ORDER BY time DESC`,
			key, hashed(key))
	}, func(key string, most int) ([]policy.Record, error) {
		return h.records(ctx, `SELECT record FROM message WHERE id >= ?1 AND id < ?1 || '~' ORDER BY time DESC LIMIT ?2`,
			key, most)
	})
}

// records reads records.
func (h *History) records(ctx context.Context, query string, args ...any) (list []policy.Record, err error) {
	err = h.look(ctx, func(tx *sql.Tx) error {
		list, err = Rows(ctx, tx, readRecord, query, args...)
		return err
	})
	return list, err
}

func readRecord(rows *sql.Rows) (r policy.Record, err error) {
	var text sql.RawBytes
	if err := rows.Scan(&text); err != nil {
		return r, err
	}
	err = json.Unmarshal(text, &r)
	r.Upgrade()
	return r, err
}

// Counts adds up the counts of all hours since.
func (h *History) Counts(ctx context.Context, since time.Time) (list []history.Count, err error) {
	read := func(rows *sql.Rows) (c history.Count, err error) { return c, rows.Scan(&c.What, &c.Value, &c.N) }
	err = h.look(ctx, func(tx *sql.Tx) (err error) {
		list, err = Rows(ctx, tx, read, `SELECT what, value, sum(n) FROM count WHERE hour >= ? GROUP BY what, value ORDER BY 3 DESC, 2`,
			since.UnixMilli()/hour)
		return err
	})
	return list, err
}
