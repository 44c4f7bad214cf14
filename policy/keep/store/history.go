package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"hash/fnv"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// History keeps the records of messages in a file. It is a history.Appender, a
// history.Reader and a history.Expirer.
type History struct{ file }

// queue and mid are hashes of the queue id and the Message-ID: their values may
// be long, and most will never be looked for. The counts are added up by hour
// when records are written, so a report need not read them.
const historySchema = `
CREATE TABLE IF NOT EXISTS message (
	id TEXT NOT NULL, time INTEGER NOT NULL, queue INTEGER, mid INTEGER,
	action TEXT NOT NULL, sender TEXT NOT NULL, recipients TEXT NOT NULL, record TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS message_id ON message (id);
CREATE INDEX IF NOT EXISTS message_time ON message (time);
CREATE INDEX IF NOT EXISTS message_queue ON message (queue) WHERE queue IS NOT NULL;
CREATE INDEX IF NOT EXISTS message_mid ON message (mid) WHERE mid IS NOT NULL;
CREATE TABLE IF NOT EXISTS count (
	hour INTEGER NOT NULL, what TEXT NOT NULL, value TEXT NOT NULL, n INTEGER NOT NULL,
	PRIMARY KEY (hour, what, value)) WITHOUT ROWID;
`

// NewHistory returns the history in a file. warn is told when it was damaged.
func NewHistory(path string, warn func(error)) *History {
	return &History{newFile(path, historySchema, warn)}
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
	return h.use(ctx, func(db *sql.DB) error {
		return inTransaction(ctx, db, func(tx *sql.Tx) error {
			insert, err := tx.PrepareContext(ctx,
				`INSERT OR REPLACE INTO message (id, time, queue, mid, action, sender, recipients, record) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`)
			if err != nil {
				return err
			}
			counts := map[counted]int64{}
			for _, r := range records {
				if err := add(ctx, insert, r); err != nil {
					return err
				}
				for _, c := range history.CountsOf(r) {
					counts[counted{r.Time.UnixMilli() / hour, c.What, c.Value}] += c.N
				}
			}
			return addCounts(ctx, tx, counts)
		})
	})
}

func add(ctx context.Context, insert *sql.Stmt, r policy.Record) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = insert.ExecContext(ctx, r.ID, r.Time.UnixMilli(), hashed(r.QueueID), hashed(r.MessageID),
		actions(r), r.Sender, strings.Join(r.Addresses(), " "), string(text))
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
	h := fnv.New64a()
	h.Write([]byte(s))
	return int64(h.Sum64())
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
	key = strings.Trim(strings.TrimSpace(key), "<>")
	if key == "" {
		return nil, nil
	}
	all, err := h.records(ctx, func(policy.Record) bool { return true }, 0,
		`SELECT record FROM message WHERE id = ?1 OR queue = ?2 OR mid = ?2 ORDER BY time DESC`, key, hashed(key))
	var found []policy.Record
	for _, r := range all { // another text may have the same number
		if r.ID == key || r.QueueID == key || r.MessageID == key {
			found = append(found, r)
		}
	}
	if err != nil || len(found) > 0 || len(key) < minShort {
		return found, err
	}
	return h.records(ctx, func(r policy.Record) bool { return strings.HasPrefix(r.ID, key) }, maxShort,
		`SELECT record FROM message WHERE id >= ?1 AND id < ?1 || '~' ORDER BY time DESC`, key)
}

const (
	minShort = 6  // letters of an id that name a message
	maxShort = 10 // messages that are found by them
)

// List finds records by a filter.
func (h *History) List(ctx context.Context, f history.Filter) ([]policy.Record, error) {
	query := `SELECT record FROM message WHERE time >= ? AND time < ?`
	args := []any{from(f.Since), until(f.Before)}
	if f.Action != "" {
		query, args = query+` AND ' ' || action || ' ' LIKE ?`, append(args, "% "+f.Action+" %")
	}
	for column, pattern := range map[string]string{
		"sender": literal(f.Sender), "recipients": literal(f.Recipient), "record": longest(literal(f.User), literal(f.Subject),
			literal(f.Reason)),
	} {
		if pattern != "" {
			query, args = query+` AND `+column+` LIKE ?`, append(args, "%"+pattern+"%")
		}
	}
	if f.QueueID != "" {
		query, args = query+` AND queue = ?`, append(args, hashed(f.QueueID))
	}
	return h.records(ctx, f.Matches, f.Limit, query+` ORDER BY time DESC`, args...)
}

// literal returns the longest piece of a pattern without wildcards, in the column of
// addresses and in JSON, so that a search for it lets at least as much through.
func literal(pattern string) string {
	return longest(strings.FieldsFunc(strings.TrimSpace(pattern), func(r rune) bool {
		return r > '~' || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(".@-/: ", r)
	})...)
}

func longest(list ...string) string {
	return slices.MaxFunc(append(list, ""), func(a, b string) int { return cmp.Compare(len(a), len(b)) })
}

// records reads records, at most limit unless that is 0.
func (h *History) records(ctx context.Context, want func(policy.Record) bool, limit int, query string,
	args ...any) (list []policy.Record, err error) {
	err = h.use(ctx, func(db *sql.DB) error {
		list = nil
		rows, err := db.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() && (limit == 0 || len(list) < limit) {
			var text []byte
			var r policy.Record
			if err := rows.Scan(&text); err != nil {
				return err
			}
			if err := json.Unmarshal(text, &r); err != nil {
				return err
			}
			r.Upgrade()
			if want(r) {
				list = append(list, r)
			}
		}
		return rows.Err()
	})
	return list, err
}

// Counts adds up the counts of all hours since.
func (h *History) Counts(ctx context.Context, since time.Time) (list []history.Count, err error) {
	err = h.use(ctx, func(db *sql.DB) error {
		list = nil
		rows, err := db.QueryContext(ctx, `SELECT what, value, sum(n) FROM count WHERE hour >= ? GROUP BY what, value ORDER BY 3 DESC, 2`,
			since.UnixMilli()/hour)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var c history.Count
			if err := rows.Scan(&c.What, &c.Value, &c.N); err != nil {
				return err
			}
			list = append(list, c)
		}
		return rows.Err()
	})
	return list, err
}

// slice is how many records are deleted in one transaction: others wait for it.
const slice = 2000

// Expire deletes records and counts.
func (h *History) Expire(ctx context.Context, before time.Time) (n int, err error) {
	for {
		var gone int64
		err := h.use(ctx, func(db *sql.DB) error {
			r, err := db.ExecContext(ctx, `DELETE FROM message WHERE rowid IN (SELECT rowid FROM message WHERE time < ? LIMIT ?)`,
				before.UnixMilli(), slice)
			if err != nil {
				return err
			}
			gone, err = r.RowsAffected()
			return err
		})
		n += int(gone)
		if err != nil {
			return n, err
		}
		if gone == 0 {
			return n, h.expireCounts(ctx, before)
		}
	}
}

func (h *History) expireCounts(ctx context.Context, before time.Time) error {
	return h.use(ctx, func(db *sql.DB) error {
		_, err := db.ExecContext(ctx, `DELETE FROM count WHERE hour < ?`, before.UnixMilli()/hour)
		return err
	})
}
