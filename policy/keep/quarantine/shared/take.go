package shared

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

// Taken says what became of a message that came from another store.
type Taken int

// What may become of one. A message that was taken before, by a call whose answer never came, is Known; if it has been
// deleted since, it is Gone, and is not brought back.
const (
	Fresh Taken = iota
	Known
	Gone
)

// ErrOther says that the database has another message of the same id.
var ErrOther = errors.New("the database has another message of this id")

// takeRate is how many bytes in a second the database takes at least.
const takeRate = 1 << 20

// Take writes down a message that was kept elsewhere, with all that has happened to it, unless it was taken before.
func (s *Store) Take(ctx context.Context, p quarantine.Parcel) (taken Taken, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime+time.Duration(p.Entry.Stored/takeRate)*time.Second)
	defer cancel()
	if p.Entry.Host == "" {
		p.Entry.Host = s.host
	}
	err = s.state.Change(ctx, func(tx *sql.Tx) (err error) {
		if taken, err = met(ctx, tx, p.Entry); err != nil || taken != Fresh {
			return err
		}
		return insert(ctx, tx, p)
	})
	return taken, err
}

// met says whether a message was here before.
func met(ctx context.Context, tx *sql.Tx, e quarantine.Entry) (Taken, error) {
	var sum sql.NullString
	var gone bool
	err := tx.QueryRowContext(ctx, `SELECT (SELECT entry->>'sha256' FROM quarantine WHERE id = $1),
		EXISTS (SELECT FROM quarantine_audit WHERE id = $1 AND event->>'what' IN ('delete', 'expire'))`, e.Record.ID).Scan(&sum, &gone)
	switch {
	case err != nil:
		return Fresh, err
	case sum.Valid && sum.String != e.SHA256:
		return Fresh, ErrOther
	case sum.Valid:
		return Known, nil
	case gone:
		return Gone, nil
	}
	return Fresh, nil
}

// insert writes a message, its body first.
func insert(ctx context.Context, tx *sql.Tx, p quarantine.Parcel) error {
	e := p.Entry
	if _, err := p.Packed.Seek(0, io.SeekStart); err != nil {
		return err
	}
	pieces := &chunks{size: chunkSize, put: func(n int, data []byte) error {
		_, err := tx.ExecContext(ctx, insertBody, e.Record.ID, int64(n), data)
		return err
	}}
	_, err := io.Copy(pieces, p.Packed)
	if err == nil {
		err = pieces.end()
	}
	if err == nil && pieces.written != e.Stored {
		err = fmt.Errorf("%w: it has %d bytes, and had %d", errPiece, pieces.written, e.Stored)
	}
	if err != nil {
		return err
	}
	values, err := columns(e)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, insertEntry, values...); err != nil {
		return err
	}
	if list := waiting(e.Row()); len(list) > 0 {
		if _, err := tx.ExecContext(ctx, insertWaiting, list, e.Record.Time.UnixMilli(), e.Record.ID); err != nil {
			return err
		}
	}
	return audit(ctx, tx, e.Record.ID, e.Events)
}
