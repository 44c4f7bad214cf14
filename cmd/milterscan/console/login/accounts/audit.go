package accounts

import (
	"context"
	"database/sql"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy/keep/tables"
)

// Entry is a line of the audit log.
type Entry struct {
	ID      int64     `json:"id"`
	Time    time.Time `json:"time"`
	Person  string    `json:"person"` // the name a person gave who has not logged in
	Role    string    `json:"role,omitempty"`
	Client  string    `json:"client"` // address of the browser, or "shell"
	Act     string    `json:"act"`    // a login.Right, or what was done to an account
	Object  string    `json:"object"` // an id of a message, a name of an account
	Outcome string    `json:"outcome"`
}

// mostOfField is how many bytes of a field are kept.
const mostOfField = 512

// mostStrangers is how many lines about those who could not log in are kept. No stranger
// can drive out what persons did by failing to log in.
const mostStrangers = 100_000

// Audit writes down what a person did or looked at, before it is shown. Where the error is
// not nil, it is not to be shown.
func (a *Accounts) Audit(ctx context.Context, p login.Person, client string, act login.Right, object, outcome string) error {
	return a.Note(ctx, Entry{Person: p.Name, Role: string(p.Role), Client: client, Act: string(act), Object: object, Outcome: outcome})
}

// Note writes a line of the audit log, with the time.
func (a *Accounts) Note(ctx context.Context, e Entry) error { return a.note(ctx, e, false) }

// NoteStranger writes a line, as Note does, about a person who has not proved who it is.
func (a *Accounts) NoteStranger(ctx context.Context, e Entry) error { return a.note(ctx, e, true) }

func (a *Accounts) note(ctx context.Context, e Entry, stranger bool) error {
	_, err := a.change(ctx, `INSERT INTO audit (time, person, role, client, act, object, outcome, stranger) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		a.now().UnixMilli(), cut(e.Person), cut(e.Role), cut(e.Client), cut(e.Act), cut(e.Object), cut(e.Outcome), stranger)
	return err
}

// cut shortens a field, and takes out bytes that are no text.
func cut(s string) string {
	if len(s) > mostOfField {
		s = s[:mostOfField]
		for !utf8.ValidString(s) && len(s) > mostOfField-utf8.UTFMax {
			s = s[:len(s)-1]
		}
		s += "…"
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

// Trail says which lines of the audit log are wanted.
type Trail struct {
	Person string // exactly
	Object string // exactly
	Act    string // exactly
	Since  time.Time
	Until  time.Time // before it
	Before int64     // that come after the line of this id in the order; 0 for the newest
	Limit  int       // lines; 0 for all
}

// Trail returns lines of the audit log, newest first: by their times, as those that a host has moved come later than
// others that are newer.
func (a *Accounts) Trail(ctx context.Context, t Trail) (list []Entry, err error) {
	query, args := `SELECT id, time, person, role, client, act, object, outcome FROM audit WHERE 1=1`, []any{}
	where := func(condition string, arg any, given bool) {
		if given {
			query, args = query+" AND "+condition, append(args, arg)
		}
	}
	where("person = ?", t.Person, t.Person != "")
	where("object = ?", t.Object, t.Object != "")
	where("act = ?", t.Act, t.Act != "")
	where("time >= ?", t.Since.UnixMilli(), !t.Since.IsZero())
	where("time < ?", t.Until.UnixMilli(), !t.Until.IsZero())
	where("(time, id) < (SELECT time, id FROM audit WHERE id = ?)", t.Before, t.Before > 0)
	query += " ORDER BY time DESC, id DESC"
	if t.Limit > 0 {
		query, args = query+" LIMIT ?", append(args, t.Limit)
	}
	err = a.db().Read(ctx, func(db tables.Asker) (err error) {
		list, err = tables.Rows(ctx, db, readEntry, query, args...)
		return err
	})
	return list, err
}

func readEntry(rows *sql.Rows) (e Entry, err error) {
	var at int64
	err = rows.Scan(&e.ID, &at, &e.Person, &e.Role, &e.Client, &e.Act, &e.Object, &e.Outcome)
	e.Time = time.UnixMilli(at).UTC()
	return e, err
}

// Expire removes sessions that are over, and lines of the audit log that are older than keep;
// 0 keeps all. It returns how many lines of the log went.
func (a *Accounts) Expire(ctx context.Context, keep time.Duration) (int, error) {
	now := a.now()
	if _, err := a.db().Remove(ctx,
		`DELETE FROM session WHERE key IN (SELECT key FROM session WHERE expires < ? LIMIT ?)`, now.Unix()); err != nil {
		return 0, err
	}
	since := int64(0)
	if keep > 0 {
		since = now.Add(-keep).UnixMilli()
	}
	_, err := a.change(ctx, `INSERT INTO kept (one, since, strangers)
		VALUES (1, ?1, max(?1, coalesce((SELECT time FROM audit WHERE stranger = 1 ORDER BY time DESC LIMIT 1 OFFSET ?2), 0)))
		ON CONFLICT (one) DO UPDATE SET since = excluded.since, strangers = excluded.strangers`, since, mostStrangers)
	if err != nil {
		return 0, err
	}
	total := 0
	for stranger, column := range []string{"since", "strangers"} {
		n, err := a.db().Remove(ctx, `DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE stranger = ?1 AND time < (SELECT `+column+
			` FROM kept) ORDER BY time LIMIT ?2)`, int64(stranger))
		if total += n; err != nil {
			return total, err
		}
	}
	return total, nil
}
