package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy/keep/mtalog"
)

// Events keeps what the log of an MTA told, in a separate file, so that the history is
// never locked for it. It is an mtalog.Store and a timeline.Events.
type Events struct{ file }

// An event is found by its queue id, by the Message-ID, and by the queue id it leads to
// or comes from. place has up to where each log was read; surplus counts the events of
// messages that had more than are kept.
const eventsSchema = `
CREATE TABLE IF NOT EXISTS event (
	key INTEGER PRIMARY KEY, time INTEGER NOT NULL, queue TEXT NOT NULL, mid INTEGER, link TEXT, event TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS event_time ON event (time);
CREATE INDEX IF NOT EXISTS event_queue ON event (queue);
CREATE INDEX IF NOT EXISTS event_mid ON event (mid) WHERE mid IS NOT NULL;
CREATE INDEX IF NOT EXISTS event_link ON event (link) WHERE link IS NOT NULL;
CREATE TABLE IF NOT EXISTS place (source TEXT PRIMARY KEY, place TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS surplus (queue TEXT PRIMARY KEY, time INTEGER NOT NULL, n INTEGER NOT NULL) WITHOUT ROWID;
`

// NewEvents returns the events in a file. warn is told when it was damaged.
func NewEvents(path string, warn func(error)) *Events {
	return &Events{newFile(path, creating(eventsSchema), warn)}
}

// Bounds of the data that is kept of one queue id: events, and those that matter most.
const (
	mostEvents  = 500
	mostWeighty = 600
)

// AddEvents adds events and remembers the place in one transaction, if no other process
// has remembered another place meanwhile.
func (x *Events) AddEvents(ctx context.Context, source string, events []mtalog.Event, was, at mtalog.Place) error {
	place, err := json.Marshal(at)
	if err != nil {
		return err
	}
	return x.use(ctx, func(db *sql.DB) error {
		return inTransaction(ctx, db, func(tx *sql.Tx) error {
			now, _, err := placeIn(ctx, tx, source)
			if err == nil && now != was {
				err = mtalog.ErrElsewhere
			}
			if err == nil {
				err = addEvents(ctx, tx, events)
			}
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO place (source, place) VALUES (?, ?)`, source, string(place))
			return err
		})
	})
}

func addEvents(ctx context.Context, tx *sql.Tx, events []mtalog.Event) error {
	if len(events) == 0 {
		return nil
	}
	count, err := tx.PrepareContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM event WHERE queue = ? LIMIT ?)`)
	if err != nil {
		return err
	}
	insert, err := tx.PrepareContext(ctx, `INSERT INTO event (time, queue, mid, link, event) VALUES (?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	had := map[string]int{}
	for _, e := range events {
		n, known := had[e.Queue]
		if !known {
			if err := count.QueryRowContext(ctx, e.Queue, mostWeighty).Scan(&n); err != nil {
				return err
			}
		}
		had[e.Queue] = n
		if n >= mostWeighty || n >= mostEvents && !e.Weighty() {
			err = surplus(ctx, tx, e)
		} else {
			err = addEvent(ctx, insert, e)
			had[e.Queue]++
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func addEvent(ctx context.Context, insert *sql.Stmt, e mtalog.Event) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	var link any
	if e.Next+e.Parent != "" {
		link = e.Next + e.Parent // an event has one of them at most
	}
	_, err = insert.ExecContext(ctx, e.Time.UnixMilli(), e.Queue, hashed(e.MessageID), link, string(text))
	return err
}

// surplus counts an event that is not kept.
func surplus(ctx context.Context, tx *sql.Tx, e mtalog.Event) error {
	_, err := tx.ExecContext(ctx,
		`INSERT INTO surplus (queue, time, n) VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET n = n + 1, time = excluded.time`,
		e.Queue, e.Time.UnixMilli())
	return err
}

// PlaceIn returns up to where a source has been read.
func (x *Events) PlaceIn(ctx context.Context, source string) (at mtalog.Place, known bool, err error) {
	err = x.use(ctx, func(db *sql.DB) error {
		at, known, err = placeIn(ctx, db, source)
		return err
	})
	return at, known, err
}

func placeIn(ctx context.Context, in asker, source string) (at mtalog.Place, known bool, err error) {
	var text []byte
	err = in.QueryRowContext(ctx, `SELECT place FROM place WHERE source = ?`, source).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return at, false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &at)
	}
	return at, err == nil, err
}

// mostFound is how many events one question is answered with.
const mostFound = 5000

// Queue returns the events of a queue id, in the order of the log. An id may have been
// used for several messages, one after the other.
func (x *Events) Queue(ctx context.Context, id string) ([]mtalog.Event, error) {
	list, err := x.events(ctx, `SELECT event FROM event WHERE queue = ? ORDER BY key LIMIT ?`, id, mostFound)
	if err != nil || len(list) < mostEvents {
		return list, err
	}
	err = x.use(ctx, func(db *sql.DB) error {
		var n int
		var last int64
		err := db.QueryRowContext(ctx, `SELECT n, time FROM surplus WHERE queue = ?`, id).Scan(&n, &last)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err == nil {
			e := list[len(list)-1]
			list = append(list, mtalog.Event{Time: time.UnixMilli(last).UTC(), MTA: e.MTA, Host: e.Host, Instance: e.Instance, Queue: id,
				Kind: mtalog.Omitted, N: n})
		}
		return err
	})
	return list, err
}

// MessageID returns the queue ids that messages with a Message-ID had.
func (x *Events) MessageID(ctx context.Context, id string) (queues []string, err error) {
	id = strings.Trim(id, "<>")
	if id == "" {
		return nil, nil
	}
	list, err := x.events(ctx, `SELECT event FROM event WHERE mid = ? ORDER BY key LIMIT ?`, hashed(id), mostFound)
	for _, e := range list {
		if e.MessageID == id && !slices.Contains(queues, e.Queue) { // another may have the same number
			queues = append(queues, e.Queue)
		}
	}
	return queues, err
}

// Linked returns the queue ids whose events name one as the next or as their origin.
func (x *Events) Linked(ctx context.Context, id string) (queues []string, err error) {
	list, err := x.events(ctx, `SELECT event FROM event WHERE link = ? ORDER BY key LIMIT ?`, id, mostFound)
	for _, e := range list {
		if !slices.Contains(queues, e.Queue) {
			queues = append(queues, e.Queue)
		}
	}
	return queues, err
}

func (x *Events) events(ctx context.Context, query string, args ...any) (list []mtalog.Event, err error) {
	err = x.use(ctx, func(db *sql.DB) (err error) {
		list, err = Rows(ctx, db, readEvent, query, args...)
		return err
	})
	return list, err
}

func readEvent(rows *sql.Rows) (e mtalog.Event, err error) {
	var text []byte
	if err := rows.Scan(&text); err != nil {
		return e, err
	}
	return e, json.Unmarshal(text, &e)
}

// Expire removes events from before a time, and the oldest of more than most.
func (x *Events) Expire(ctx context.Context, before time.Time, most int) (int, error) {
	n, err := x.expire(ctx, expiry{"event", "time", before.UnixMilli(), most})
	if err == nil {
		_, err = x.remove(ctx, `DELETE FROM surplus WHERE queue IN (SELECT queue FROM surplus WHERE time < ? LIMIT ?)`, before.UnixMilli())
	}
	return n, err
}
