package people

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/milterscan/milterscan/policy/keep/tables"
)

// delegateSchema is for the persons appointed in the console to act for another, as well as those of the directory.
// Both are main addresses of persons. Who was dismissed is remembered, for CopyTo.
const delegateSchema = `
CREATE TABLE IF NOT EXISTS delegate (
	owner TEXT NOT NULL, delegate TEXT NOT NULL, maker TEXT NOT NULL, made INTEGER NOT NULL, PRIMARY KEY (owner, delegate)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS delegate_delegate ON delegate (delegate);
CREATE TABLE IF NOT EXISTS dismissed (owner TEXT NOT NULL, delegate TEXT NOT NULL, PRIMARY KEY (owner, delegate)) WITHOUT ROWID;
`

// MostDelegates is how many may act for one person, of those who are appointed here; and for how many one of them
// may act, who has all of their mail looked for at each page.
const MostDelegates = 50

// The reasons not to appoint a delegate.
var (
	ErrSelf          = errors.New("a person cannot be their own delegate")
	ErrManyDelegates = errors.New("there are as many delegates as there may be")
)

// Delegates returns the addresses that may act for each of some persons, as was settled here.
func (s *Store) Delegates(ctx context.Context, owners []string) (map[string][]string, error) {
	got := map[string][]string{}
	err := s.about(ctx, owners, `SELECT owner, delegate FROM delegate WHERE owner IN `, func(rows *sql.Rows) error {
		var owner, delegate string
		err := rows.Scan(&owner, &delegate)
		got[owner] = append(got[owner], delegate)
		return err
	})
	for _, list := range got {
		slices.Sort(list)
	}
	return got, err
}

// Owners returns the persons for which an address may act by appointment in the console.
func (s *Store) Owners(ctx context.Context, delegate string) (list []string, err error) {
	read := func(rows *sql.Rows) (one string, err error) { return one, rows.Scan(&one) }
	err = s.db().Read(ctx, func(db tables.Asker) (err error) {
		list, err = tables.Rows(ctx, db, read, `SELECT owner FROM delegate WHERE delegate = ? ORDER BY owner LIMIT ?`,
			delegate, MostDelegates)
		return err
	})
	return list, err
}

// Appoint has an address act for a person from now on. Of what was settled before nothing changes.
func (s *Store) Appoint(ctx context.Context, owner, delegate, by string, now time.Time) error {
	if owner == delegate {
		return ErrSelf
	}
	return s.db().Change(ctx, func(tx tables.Asker) error {
		var there, most int
		err := tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM delegate WHERE owner = ?1 AND delegate = ?2),
			max((SELECT count(*) FROM delegate WHERE owner = ?1), (SELECT count(*) FROM delegate WHERE delegate = ?2))`, owner, delegate).
			Scan(&there, &most)
		switch {
		case err != nil || there > 0:
			return err
		case most >= MostDelegates:
			return ErrManyDelegates
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO delegate (owner, delegate, maker, made) VALUES (?, ?, ?, ?)`,
			owner, delegate, by, now.Unix()); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM dismissed WHERE owner = ? AND delegate = ?`, owner, delegate)
		return err
	})
}

// Dismiss has an address no longer act for a person. The error is ErrUnknown if it did not, as was settled here.
func (s *Store) Dismiss(ctx context.Context, owner, delegate string) error {
	return s.db().Change(ctx, func(tx tables.Asker) error {
		done, err := tx.ExecContext(ctx, `DELETE FROM delegate WHERE owner = ? AND delegate = ?`, owner, delegate)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrUnknown)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO dismissed (owner, delegate) VALUES (?, ?) ON CONFLICT DO NOTHING`, owner, delegate)
		return err
	})
}
