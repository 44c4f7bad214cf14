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
	object := ""
	if s.objects != nil {
		if taken, err = s.asked(ctx, p.Entry); err != nil || taken != Fresh {
			return taken, err
		}
		if object, err = s.takeObject(ctx, p); err != nil {
			return taken, err
		}
	}
	err = s.state.Change(ctx, func(tx *sql.Tx) (err error) {
		if taken, err = met(ctx, tx, p.Entry); err != nil || taken != Fresh {
			return err
		}
		return insert(ctx, tx, p, object)
	})
	return taken, err
}

// asked says whether a message was here before, while nothing is changed.
func (s *Store) asked(ctx context.Context, e quarantine.Entry) (taken Taken, err error) {
	err = s.state.Change(ctx, func(tx *sql.Tx) (err error) {
		taken, err = met(ctx, tx, e)
		return err
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

// insert writes a message, its body first unless it is an object.
func insert(ctx context.Context, tx *sql.Tx, p quarantine.Parcel, object string) error {
	step := func(query string, args ...any) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	}
	if object == "" {
		if err := pieces(step, p); err != nil {
			return err
		}
	}
	if err := enter(step, p.Entry, object); err != nil {
		return err
	}
	return audit(ctx, tx, p.Entry.Record.ID, p.Entry.Events)
}

// pieces writes a message in pieces.
func pieces(step func(string, ...any) error, p quarantine.Parcel) error {
	if _, err := p.Packed.Seek(0, io.SeekStart); err != nil {
		return err
	}
	body := piecesOf(p.Entry.Record.ID, step)
	_, err := io.Copy(body, p.Packed)
	if err == nil {
		err = body.end()
	}
	if err == nil && body.written != p.Entry.Stored {
		err = sizeError(body.written, p.Entry.Stored)
	}
	return err
}

// sizeError says that a message has another number of bytes than it had.
func sizeError(has, had int64) error {
	return fmt.Errorf("%w: it has %d bytes, and had %d", errPiece, has, had)
}
