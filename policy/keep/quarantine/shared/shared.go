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
	state State
	host  string
}

// New returns the quarantine in a database. host is what this host is called in it.
func New(s State, host string) *Store { return &Store{s, host} }

// callTime is how long the database may take to answer one call about one message, unless mail waits for it.
const callTime = 20 * time.Second

// durable is a condition that holds, and has the transaction be on the disk when it is committed, also where the
// server would let it wait. A stricter setting, such as a standby that has it as well, stays.
const durable = `CASE current_setting('synchronous_commit') WHEN 'off'
	THEN set_config('synchronous_commit', 'on', true) = 'on' ELSE true END`

// insertBody and insertEntry write a copy, the message first and its entry last, without which there is none.
const (
	insertBody  = `INSERT INTO quarantine_body (id, n, data) VALUES ($1, $2, $3)`
	insertEntry = `INSERT INTO quarantine (id, time, class, state, stored, unasked, handled, queue, message, host, row, entry)
		SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::text::jsonb WHERE ` + durable
	updateEntry = `UPDATE quarantine SET time = $2, class = $3, state = $4, stored = $5, unasked = $6,
		handled = $7, queue = $8, message = $9, host = $10, row = $11, entry = $12::text::jsonb WHERE id = $1 AND ` + durable
	insertWaiting = `INSERT INTO quarantine_waiting (address, time, id)
		SELECT DISTINCT address, $2::bigint, $3 FROM unnest($1::text[]) AS address`
	insertAudit = `INSERT INTO quarantine_audit (at, id, event) VALUES (clock_timestamp(), $1, $2::text::jsonb)`
)

// Keep writes the copy and returns when it is on the disk of the server, or fails when ctx is done.
func (s *Store) Keep(ctx context.Context, c policy.Copy) error {
	err := ctx.Err()
	if err == nil {
		err = s.state.Commit(ctx, func(step func(string, ...any) error) error { return s.keep(ctx, step, c) })
	}
	if err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	return nil
}

func (s *Store) keep(ctx context.Context, step func(string, ...any) error, c policy.Copy) error {
	e, err := quarantine.Begin(c)
	if err != nil {
		return err
	}
	e.Host = s.host
	body := &chunks{size: chunkSize, put: func(n int, data []byte) error { return step(insertBody, c.Record.ID, int64(n), data) }}
	if e.SHA256, err = quarantine.Pack(ctx, body, c.Raw); err == nil {
		err = body.end()
	}
	if err != nil {
		return err
	}
	e.Stored = body.written
	values, err := columns(e)
	if err != nil {
		return err
	}
	if err := step(insertEntry, values...); err != nil {
		return err
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

func scanEntry(row *sql.Row) (e quarantine.Entry, err error) {
	var text string
	if err := row.Scan(&text); err != nil {
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
	e, err := s.Entry(ctx, id)
	if err != nil {
		return nil, err
	}
	return quarantine.Unpack(io.NopCloser(&body{ctx: ctx, store: s, id: id, left: e.Stored}), "message "+id, e.SHA256)
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
		e, err := scanEntry(tx.QueryRowContext(ctx, `SELECT entry::text FROM quarantine WHERE id = $1 FOR UPDATE`, id))
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

// Delete removes a message with its entry.
func (s *Store) Delete(ctx context.Context, id string, why quarantine.Event) error {
	if !quarantine.ValidID(id) {
		return quarantine.ErrUnknown
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return known(s.state.Change(ctx, func(tx *sql.Tx) error {
		gone, err := tx.ExecContext(ctx, `DELETE FROM quarantine WHERE id = $1 AND `+durable, id)
		if err != nil {
			return err
		}
		if n, err := gone.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, sql.ErrNoRows)
		}
		return audit(ctx, tx, id, []quarantine.Event{why})
	}))
}

// Check returns why no message can be kept now.
func (s *Store) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return s.state.Read(ctx, func(db *sql.DB) error {
		var standby bool
		var n int
		err := db.QueryRowContext(ctx, `SELECT pg_is_in_recovery(),
			(SELECT count(*) FROM (SELECT FROM quarantine LIMIT 1) AS any_one)`).Scan(&standby, &n)
		if err == nil && standby {
			err = errStandby
		}
		return err
	})
}

var errStandby = errors.New("the server is a standby, and takes no messages")
