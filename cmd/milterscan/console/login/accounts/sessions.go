package accounts

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/milterscan/milterscan/policy/keep/tables"
)

// Session is one browser that a person has logged in with.
type Session struct {
	Key     string // a hash of what the browser has
	Account int64  // 0 until a person has logged in
	Handle  string // names it in lists; opens nothing
	Data    []byte
	Client  string // address
	Agent   string // what the browser calls itself
	Begun   time.Time
	Seen    time.Time
	Expires time.Time
}

// FindSession returns the data of a session that has not ended.
func (a *Accounts) FindSession(ctx context.Context, key string) (data []byte, found bool, err error) {
	err = a.db().Read(ctx, func(db tables.Asker) error {
		return db.QueryRowContext(ctx, `SELECT data FROM session WHERE key = ? AND ended = 0 AND expires > ?`, key, a.now().Unix()).Scan(&data)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	return data, err == nil, err
}

// mostOfNobody is how many sessions there are of those who have not logged in. Older ones make room.
const mostOfNobody = 10_000

// PutSession keeps a session. One that has ended stays so, also if a request that began
// before is answered after it. Nothing is written where only the time has gone on, by little.
func (a *Accounts) PutSession(ctx context.Context, s Session) error {
	return a.db().Change(ctx, func(tx tables.Asker) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO session (key, account, handle, data, client, agent, begun, seen, expires)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8) ON CONFLICT (key) DO UPDATE SET account = ?2, handle = ?3, data = ?4, client = ?5, agent = ?6,
			seen = ?7, expires = ?8
			WHERE session.ended = 0 AND (session.data <> ?4 OR abs(session.expires - ?8) >= 30)`,
			s.Key, s.Account, s.Handle, s.Data, cut(s.Client), cut(s.Agent), a.now().Unix(), s.Expires.Unix())
		if err != nil || s.Account != 0 {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM session WHERE key IN (SELECT key FROM session WHERE account = 0 ORDER BY begun
			LIMIT max(0, (SELECT count(*) FROM session WHERE account = 0) - ?))`, mostOfNobody)
		return err
	})
}

// noData replaces the data of a session that has ended.
var noData = []byte{}

// EndSession ends a session. It is remembered as ended until it would have expired.
func (a *Accounts) EndSession(ctx context.Context, key string) error {
	_, err := a.change(ctx, `UPDATE session SET ended = 1, data = ? WHERE key = ?`, noData, key)
	return err
}

// EndHandle ends the session that a list of an account shows under a name.
func (a *Accounts) EndHandle(ctx context.Context, account int64, handle string) error {
	n, err := a.change(ctx, `UPDATE session SET ended = 1, data = ? WHERE account = ? AND handle = ? AND ended = 0`,
		noData, account, handle)
	if err == nil && n == 0 {
		return ErrUnknown
	}
	return err
}

// Sessions returns the sessions of an account, the one that was used last first, without data.
func (a *Accounts) Sessions(ctx context.Context, account int64) (list []Session, err error) {
	err = a.db().Read(ctx, func(db tables.Asker) (err error) {
		list, err = tables.Rows(ctx, db, readSession,
			`SELECT key, account, handle, client, agent, begun, seen, expires FROM session
			WHERE account = ? AND ended = 0 AND expires > ? ORDER BY seen DESC, begun DESC LIMIT 100`, account, a.now().Unix())
		return err
	})
	return list, err
}

func readSession(rows *sql.Rows) (s Session, err error) {
	var begun, seen, expires int64
	err = rows.Scan(&s.Key, &s.Account, &s.Handle, &s.Client, &s.Agent, &begun, &seen, &expires)
	s.Begun, s.Seen, s.Expires = time.Unix(begun, 0).UTC(), time.Unix(seen, 0).UTC(), time.Unix(expires, 0).UTC()
	return s, err
}
