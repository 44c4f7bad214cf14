// Package shared keeps messages in tables of PostgreSQL, as a quarantine that several hosts share.
package shared

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/postgres"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

// State is the database; fleet.State is one.
type State interface {
	// Commit runs statements for a mail, all of them or none. Each has a deadline. do may be called again.
	Commit(ctx context.Context, do func(step func(query string, args ...any) error) error) error
	Read(ctx context.Context, do func(*sql.DB) error) error
	// Change commits what do did unless it failed. do may be called again.
	Change(ctx context.Context, do func(*sql.Tx) error) error
}

// Store is a quarantine.Store in the tables of file "quarantine" of the layout.
type Store struct {
	state   State
	host    string
	objects *Objects // where new messages are; nil: in the database
}

// New returns the quarantine in a database. host is what this host is called in it.
func New(s State, host string) *Store { return &Store{state: s, host: host} }

// callTime is how long the database may take to answer one call about one message, unless mail waits for it.
const callTime = 20 * time.Second

// durable is a condition that holds, and has the transaction be on the disk when it is committed, also where the
// server would let it wait. A stricter setting, such as a standby that has it as well, stays.
const durable = `CASE current_setting('synchronous_commit') WHEN 'off'
	THEN set_config('synchronous_commit', 'on', true) = 'on' ELSE true END`

// insertBody and insertEntry write a copy, the message first and its entry last, without which there is none. insertObject
// fails if the object is to be removed.
const (
	insertBody  = `INSERT INTO quarantine_body (id, n, data) VALUES ($1, $2, $3)`
	insertEntry = `INSERT INTO quarantine (id, time, class, state, stored, unasked, handled, queue, message, host, row, entry)
		SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::text::jsonb WHERE ` + durable
	insertObject = `INSERT INTO quarantine_object (name, id) VALUES ($1, $2)`
	updateEntry  = `UPDATE quarantine SET time = $2, class = $3, state = $4, stored = $5, unasked = $6,
		handled = $7, queue = $8, message = $9, host = $10, row = $11, entry = $12::text::jsonb WHERE id = $1 AND ` + durable
	insertWaiting = `INSERT INTO quarantine_waiting (address, time, id)
		SELECT DISTINCT address, $2::bigint, $3 FROM unnest($1::text[]) AS address`
	insertAudit = `INSERT INTO quarantine_audit (at, id, event) VALUES (clock_timestamp(), $1, $2::text::jsonb)`
)

// Keep writes the copy and returns when it is on the disk of the server, or fails when ctx is done.
func (s *Store) Keep(ctx context.Context, c policy.Copy) error {
	err := ctx.Err()
	if err == nil {
		err = s.keep(ctx, c)
	}
	if err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	return nil
}

func (s *Store) keep(ctx context.Context, c policy.Copy) error {
	e, err := quarantine.Begin(c)
	if err != nil {
		return err
	}
	e.Host = s.host
	if s.objects != nil {
		return s.keepObject(ctx, e, c.Raw)
	}
	return s.state.Commit(ctx, func(step func(string, ...any) error) (err error) {
		body := piecesOf(e.Record.ID, step)
		if e.SHA256, err = quarantine.Pack(ctx, body, c.Raw); err == nil {
			err = body.end()
		}
		if err != nil {
			return err
		}
		e.Stored = body.written
		return enter(step, e, "")
	})
}

// piecesOf returns what writes a message in pieces.
func piecesOf(id string, step func(string, ...any) error) *chunks {
	return &chunks{size: chunkSize, put: func(n int, data []byte) error { return step(insertBody, id, int64(n), data) }}
}

// enter writes an entry whose message is there: in pieces, or as an object.
func enter(step func(string, ...any) error, e quarantine.Entry, object string) error {
	values, err := columns(e)
	if err != nil {
		return err
	}
	if err := step(insertEntry, values...); err != nil {
		return err
	}
	if object != "" {
		if err := step(insertObject, object, e.Record.ID); err != nil {
			return err
		}
	}
	if list := waiting(e.Row()); len(list) > 0 {
		return step(insertWaiting, list, e.Record.Time.UnixMilli(), e.Record.ID)
	}
	return nil
}

// columns returns the values of an entry, in the order of insertEntry.
func columns(e quarantine.Entry) ([]any, error) {
	r := e.Row()
	row, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	entry, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	return []any{r.ID, r.Time.UnixMilli(), r.Class, string(r.State), r.Stored, r.Unasked, r.Handled != nil,
		postgres.Key(r.QueueID), postgres.Key(r.MessageID), e.Host, string(row), string(escape(entry))}, nil
}

// waiting returns the addresses that a message waits for, as they are in the table.
func waiting(r quarantine.Row) []string {
	list := r.WaitingFor()
	for i := range list {
		list[i] = postgres.Key(list[i])
	}
	return list
}

// Entry reads an entry.
func (s *Store) Entry(ctx context.Context, id string) (e quarantine.Entry, err error) {
	if !quarantine.ValidID(id) {
		return e, quarantine.ErrUnknown
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	err = s.state.Read(ctx, func(db *sql.DB) (err error) {
		e, err = scanEntry(db.QueryRowContext(ctx, `SELECT entry::text FROM quarantine WHERE id = $1`, id))
		return err
	})
	return e, known(err)
}

// known returns ErrUnknown alone for a message that is not there.
func known(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return quarantine.ErrUnknown
	}
	return err
}

// lockEntry reads an entry to change it, with the time by the clock that all hosts have in common.
func lockEntry(ctx context.Context, tx *sql.Tx, id string) (quarantine.Entry, error) {
	var now time.Time
	row := tx.QueryRowContext(ctx, `SELECT entry::text, clock_timestamp() FROM quarantine WHERE id = $1 FOR UPDATE`, id)
	e, err := scanEntry(row, &now)
	e.Now = now
	return e, err
}

// scanEntry reads an entry, and what a query asks for besides.
func scanEntry(row *sql.Row, more ...any) (e quarantine.Entry, err error) {
	var text string
	if err := row.Scan(append([]any{&text}, more...)...); err != nil {
		return e, err
	}
	if err := json.Unmarshal(unescape([]byte(text)), &e); err != nil {
		return e, fmt.Errorf("an entry of the quarantine cannot be read: %w", err)
	}
	e.Record.Upgrade()
	return e, nil
}

// Open opens the message.
func (s *Store) Open(ctx context.Context, id string) (io.ReadCloser, error) {
	if !quarantine.ValidID(id) {
		return nil, quarantine.ErrUnknown
	}
	var e quarantine.Entry
	var object string
	err := s.state.Read(ctx, func(db *sql.DB) (err error) {
		ctx, cancel := context.WithTimeout(ctx, callTime)
		defer cancel()
		e, err = scanEntry(db.QueryRowContext(ctx, `SELECT entry::text,
			coalesce((SELECT name FROM quarantine_object AS o WHERE o.id = q.id), '') FROM quarantine AS q WHERE id = $1`, id), &object)
		return err
	})
	if err != nil {
		return nil, known(err)
	}
	packed := io.NopCloser(&body{ctx: ctx, store: s, id: id, left: e.Stored})
	if object != "" {
		if packed, err = s.object(ctx, object, e.Stored); err != nil {
			return nil, err
		}
	}
	return quarantine.Unpack(packed, "message "+id, e.SHA256)
}

// Change alters an entry, which others who want to change it wait for.
func (s *Store) Change(ctx context.Context, id string, change func(*quarantine.Entry) error) error {
	if !quarantine.ValidID(id) {
		return quarantine.ErrUnknown
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var refused error // by change
	err := s.state.Change(ctx, func(tx *sql.Tx) error {
		e, err := lockEntry(ctx, tx, id)
		if err != nil {
			return err
		}
		events, waited := len(e.Events), waiting(e.Row())
		if refused = change(&e); refused != nil {
			return refused
		}
		if err := audit(ctx, tx, id, e.Events[min(events, len(e.Events)):]); err != nil {
			return err
		}
		return update(ctx, tx, e, waited)
	})
	if refused != nil {
		return refused
	}
	return known(err)
}

// update writes an entry that waited for some addresses before.
func update(ctx context.Context, tx *sql.Tx, e quarantine.Entry, waited []string) error {
	values, err := columns(e)
	if err == nil {
		_, err = tx.ExecContext(ctx, updateEntry, values...)
	}
	waits := waiting(e.Row())
	if err != nil || slices.Equal(waited, waits) {
		return err
	}
	if _, err = tx.ExecContext(ctx, `DELETE FROM quarantine_waiting WHERE id = $1`, e.Record.ID); err == nil && len(waits) > 0 {
		_, err = tx.ExecContext(ctx, insertWaiting, waits, e.Record.Time.UnixMilli(), e.Record.ID)
	}
	return err
}

// audit writes down what was done to a message, for good.
func audit(ctx context.Context, tx *sql.Tx, id string, events []quarantine.Event) error {
	for _, event := range events {
		text, err := json.Marshal(event)
		if err == nil {
			_, err = tx.ExecContext(ctx, insertAudit, id, string(escape(text)))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Delete removes a message with its entry, and its object after that. One that cannot be removed now is removed later.
func (s *Store) Delete(ctx context.Context, id string, why quarantine.Event) error {
	if !quarantine.ValidID(id) {
		return quarantine.ErrUnknown
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var object sql.NullString
	err := s.state.Change(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT name FROM quarantine_object WHERE id = $1`, id).Scan(&object)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		gone, err := tx.ExecContext(ctx, `DELETE FROM quarantine WHERE id = $1 AND `+durable, id)
		if err != nil {
			return err
		}
		if n, err := gone.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, sql.ErrNoRows)
		}
		return audit(ctx, tx, id, []quarantine.Event{why})
	})
	if err == nil && object.Valid && s.objects != nil {
		s.remove(ctx, []string{object.String})
	}
	return known(err)
}

// Check returns why no message can be kept now.
func (s *Store) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	err := s.state.Read(ctx, func(db *sql.DB) error {
		var standby bool
		var n int
		err := db.QueryRowContext(ctx, `SELECT pg_is_in_recovery(),
			(SELECT count(*) FROM (SELECT FROM quarantine LIMIT 1) AS any_one)`).Scan(&standby, &n)
		if err == nil && standby {
			err = errStandby
		}
		return err
	})
	if err == nil && s.objects != nil {
		err = s.objects.bucket.Check(ctx)
	}
	return err
}

var errStandby = errors.New("the server is a standby, and takes no messages")
