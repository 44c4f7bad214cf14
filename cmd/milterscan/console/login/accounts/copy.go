package accounts

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/milterscan/milterscan/policy/keep/tables"
)

// Copied says what became of accounts and of an audit log that were copied.
type Copied struct {
	Accounts int      // that there were
	Added    int      // those that the other place did not have
	Before   int      // those that were copied before, whatever became of them since
	Others   []string // names of those that the other place has of its own, which count there
	Lines    int      // of the audit log
	New      int      // those that were not copied before
}

// The kinds of rows that are copied, as the other place calls them.
const (
	copiedAccounts = "accounts"
	copiedLines    = "audit log"
)

// CopyTo writes accounts, with their second factors and tokens, and the audit log into another place; sessions stay.
// place is what this one is called there. The other place remembers how far it is: what was copied once is not copied
// again, so that a copy may be begun again, and an account that was removed there does not come back.
func (a *Accounts) CopyTo(ctx context.Context, to *Accounts, place string, step func(n int)) (c Copied, err error) {
	if err := a.copyAccounts(ctx, to, place, step, &c); err != nil {
		return c, fmt.Errorf("after %d accounts: %w", c.Accounts, err)
	}
	if err := a.copyLines(ctx, to, place, step, &c); err != nil {
		return c, fmt.Errorf("after %d lines of the audit log: %w", c.Lines, err)
	}
	return c, nil
}

// mark says how far a kind of rows is copied.
type mark struct{ last, at int64 }

// markOf returns how far rows of this place are copied, and the mark that is there. One that is of another file is none: the
// row of that number is not here, or has another time.
func (a *Accounts) markOf(ctx context.Context, to *Accounts, place, what, timed string) (done, there mark, err error) {
	err = to.db().Read(ctx, func(db tables.Asker) (err error) {
		there, err = readMark(ctx, db, place, what)
		return err
	})
	if err != nil || there == (mark{}) {
		return mark{}, there, err
	}
	var at int64
	err = a.db().Read(ctx, func(db tables.Asker) error {
		return db.QueryRowContext(ctx, timed, there.last).Scan(&at)
	})
	if errors.Is(err, sql.ErrNoRows) || err == nil && at != there.at {
		return mark{}, there, nil
	}
	return there, there, err
}

// readMark returns how far rows of a place were copied.
func readMark(ctx context.Context, db tables.Asker, place, what string) (m mark, err error) {
	err = db.QueryRowContext(ctx, `SELECT last, at FROM moved WHERE place = ? AND what = ?`, place, what).Scan(&m.last, &m.at)
	if errors.Is(err, sql.ErrNoRows) {
		return mark{}, nil
	}
	return m, err
}

// errBusy says that two copy the same rows at once, which would come twice.
var errBusy = errors.New("another command copies the same at this moment; let it end, and begin again")

// setMark writes down how far rows are copied, together with these. was is how far they were.
func setMark(ctx context.Context, tx tables.Asker, place, what string, was, m mark) error {
	now, err := readMark(ctx, tx, place, what)
	if err != nil {
		return err
	}
	if now != was {
		return errBusy
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO moved (place, what, last, at) VALUES (?1, ?2, ?3, ?4)
		ON CONFLICT (place, what) DO UPDATE SET last = excluded.last, at = excluded.at`, place, what, m.last, m.at)
	return err
}

// copying is an account as it is kept.
type copying struct {
	id       int64
	row      []any // columns of copiedColumns
	recovery [][]byte
	tokens   [][]any
}

// copiedColumns are those of an account in any place, but its number; the name comes third, and when it was made last.
const copiedColumns = `source, subject, name, role, domains, classes, language, password, disabled, wants_second, secret, step,
	epoch, seen, created`

// tokenColumns are those of a token, but its account.
const tokenColumns = `hash, name, rights, created, expires, used`

func (a *Accounts) copyAccounts(ctx context.Context, to *Accounts, place string, step func(int), c *Copied) error {
	done, was, err := a.markOf(ctx, to, place, copiedAccounts, `SELECT created FROM account WHERE id = ?`)
	if err != nil {
		return err
	}
	err = a.db().Read(ctx, func(db tables.Asker) error {
		return db.QueryRowContext(ctx, `SELECT count(*) FROM account WHERE id <= ?`, done.last).Scan(&c.Before)
	})
	c.Accounts = c.Before
	for err == nil {
		var next *copying
		if next, err = a.after(ctx, done.last); err != nil || next == nil {
			return err
		}
		done = mark{next.id, next.row[len(next.row)-1].(int64)}
		var added bool
		added, err = to.take(ctx, next, place, was, done)
		was = done
		switch {
		case err == nil && added:
			c.Added++
		case err == nil:
			c.Others = append(c.Others, next.row[2].(string))
		}
		c.Accounts++
		step(1)
	}
	return err
}

// after returns the account with the next number, nil after the last.
func (a *Accounts) after(ctx context.Context, id int64) (next *copying, err error) {
	err = a.db().Still(ctx, func(db tables.Asker) error {
		list, err := tables.Rows(ctx, db, anyRow, `SELECT id, `+copiedColumns+` FROM account WHERE id > ? ORDER BY id LIMIT 1`, id)
		if err != nil || len(list) == 0 {
			return err
		}
		next = &copying{id: list[0][0].(int64), row: list[0][1:]}
		next.recovery, err = tables.Rows(ctx, db, func(rows *sql.Rows) (hash []byte, err error) { return hash, rows.Scan(&hash) },
			`SELECT hash FROM recovery WHERE account = ?`, next.id)
		if err != nil {
			return err
		}
		next.tokens, err = tables.Rows(ctx, db, anyRow, `SELECT `+tokenColumns+` FROM token WHERE account = ?`, next.id)
		return err
	})
	return next, err
}

// anyRow reads all columns of a row.
func anyRow(rows *sql.Rows) ([]any, error) {
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	row, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range row {
		into[i] = &row[i]
	}
	return row, rows.Scan(into...)
}

// take makes an account of another place here, with all that belongs to it, unless there is one of that person or of
// that name: nobody is given what another may.
func (a *Accounts) take(ctx context.Context, c *copying, place string, was, done mark) (added bool, err error) {
	err = a.db().Change(ctx, func(tx tables.Asker) error {
		var id int64
		err := tx.QueryRowContext(ctx, `INSERT INTO account (`+copiedColumns+`) VALUES (`+marks(len(c.row))+`)
			ON CONFLICT DO NOTHING RETURNING id`, c.row...).Scan(&id)
		if added = err == nil; added {
			err = c.takeRest(ctx, tx, id)
		} else if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
		if err != nil {
			return err
		}
		return setMark(ctx, tx, place, copiedAccounts, was, done)
	})
	return added && err == nil, err
}

// takeRest gives an account its recovery codes and tokens.
func (c *copying) takeRest(ctx context.Context, tx tables.Asker, id int64) error {
	for _, hash := range c.recovery {
		if _, err := tx.ExecContext(ctx, `INSERT INTO recovery (account, hash) VALUES (?, ?)`, id, numbered(hash, c.id)); err != nil {
			return err
		}
	}
	for _, token := range c.tokens {
		if _, err := tx.ExecContext(ctx, `INSERT INTO token (`+tokenColumns+`, account) VALUES (`+marks(len(token)+1)+`)
			ON CONFLICT DO NOTHING`, append(token[:len(token):len(token)], id)...); err != nil {
			return err
		}
	}
	return nil
}

// marks returns so many places for arguments.
func marks(n int) string { return strings.TrimPrefix(strings.Repeat(", ?", n), ", ") }

// numbered returns the stored form of a recovery code that was made for an account when it had another number, of
// which the hash is one: the number follows it.
func numbered(hash []byte, number int64) []byte {
	if len(hash) != hashSize { // which it was in yet another place
		return hash
	}
	return binary.BigEndian.AppendUint64(hash[:hashSize:hashSize], uint64(number))
}

// numberOf returns the number that an account had when a recovery code was made for it.
func numberOf(stored []byte, id int64) int64 {
	if len(stored) == hashSize+8 {
		return int64(binary.BigEndian.Uint64(stored[hashSize:]))
	}
	return id
}

// linesTogether is how many lines of the audit log are written in one change.
const linesTogether = 500

// lineColumns are those of a line of the audit log, but its number, which comes before them.
const lineColumns = `time, person, role, client, act, object, outcome, stranger`

func (a *Accounts) copyLines(ctx context.Context, to *Accounts, place string, step func(int), c *Copied) error {
	done, was, err := a.markOf(ctx, to, place, copiedLines, `SELECT time FROM audit WHERE id = ?`)
	if err != nil {
		return err
	}
	err = a.db().Read(ctx, func(db tables.Asker) error {
		return db.QueryRowContext(ctx, `SELECT count(*) FROM audit WHERE id <= ?`, done.last).Scan(&c.Lines)
	})
	for err == nil {
		var lines [][]any
		err = a.db().Read(ctx, func(db tables.Asker) (err error) {
			lines, err = tables.Rows(ctx, db, anyRow, `SELECT id, `+lineColumns+` FROM audit WHERE id > ? ORDER BY id LIMIT ?`,
				done.last, linesTogether)
			return err
		})
		if err != nil || len(lines) == 0 {
			return err
		}
		last := lines[len(lines)-1]
		done = mark{last[0].(int64), last[1].(int64)}
		if err = to.takeLines(ctx, lines, place, was, done); err == nil {
			was = done
			c.Lines, c.New = c.Lines+len(lines), c.New+len(lines)
			step(len(lines))
		}
	}
	return err
}

// takeLines adds lines of the audit log of another place.
func (a *Accounts) takeLines(ctx context.Context, lines [][]any, place string, was, done mark) error {
	return a.db().Change(ctx, func(tx tables.Asker) error {
		insert, end, err := a.db().Repeat(ctx, tx, `INSERT INTO audit (`+lineColumns+`) VALUES (`+marks(strings.Count(lineColumns, ",")+1)+`)`)
		if err != nil {
			return err
		}
		defer end()
		for _, l := range lines {
			if err := insert(l[1:]...); err != nil {
				return err
			}
		}
		return setMark(ctx, tx, place, copiedLines, was, done)
	})
}
