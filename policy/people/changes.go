package people

import (
	"context"
	"database/sql"
	"errors"

	"github.com/milterscan/milterscan/policy/keep/tables"
)

// Mark says up to which change a reader has read.
type Mark struct {
	Lineage string
	Change  int64
}

// Mark returns the last change there is.
func (s *Store) Mark(ctx context.Context) (m Mark, err error) {
	err = s.db().Read(ctx, func(db tables.Asker) error {
		m, _, err = markOf(ctx, db)
		return err
	})
	return m, err
}

func markOf(ctx context.Context, db tables.Asker) (m Mark, floor int64, err error) {
	err = db.QueryRowContext(ctx, `SELECT lineage, change, floor FROM changed`).Scan(&m.Lineage, &m.Change, &floor)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return m, floor, err
}

// ChangesSince has take read what was changed after a mark: all entries if that is not known any
// more, which it is told first. It returns the mark to go on from.
func (s *Store) ChangesSince(ctx context.Context, since Mark, take Taker) (m Mark, err error) {
	err = s.db().Still(ctx, func(tx tables.Asker) error {
		m, err = changesSince(ctx, tx, since, take)
		return err
	})
	return m, err
}

// Taker takes over entries and limits. What it has taken counts only if the call that it is for has no error.
type Taker interface {
	Begin(all bool) // what was taken before does not count any more if all is set
	Take(Entry)
	Drop(Entry) // which has no more than an owner, a pattern, and whether it wants a pass
	Limit(Limit)
}

func changesSince(ctx context.Context, tx tables.Asker, since Mark, take Taker) (Mark, error) {
	now, floor, err := markOf(ctx, tx)
	if err != nil {
		return now, err
	}
	if now == since {
		return now, nil
	}
	all := now.Lineage != since.Lineage || since.Change > now.Change || since.Change < floor
	take.Begin(all)
	if all {
		since.Change = 0
	}
	if err := eachRow(ctx, tx, take.Limit, scanLimit, `SELECT address, score FROM score_limit WHERE change > ?`, since.Change); err != nil {
		return now, err
	}
	if all {
		return now, eachRow(ctx, tx, take.Take, scanRow, `SELECT `+entryColumns+` FROM entry`)
	}
	err = eachRow(ctx, tx, take.Drop, scanGone, `SELECT owner, pattern, authenticated FROM gone WHERE change > ?`, since.Change)
	if err == nil { // an entry may have been removed, and made again
		err = eachRow(ctx, tx, take.Take, scanRow, `SELECT `+entryColumns+` FROM entry WHERE change > ?`, since.Change)
	}
	return now, err
}

func scanRow(rows *sql.Rows) (Entry, error) { return scanEntry(rows) }

func scanGone(rows *sql.Rows) (e Entry, err error) {
	return e, rows.Scan(&e.Owner, &e.Pattern, &e.Authenticated)
}

// eachRow asks a query, and passes on each row of the answer.
func eachRow[T any](ctx context.Context, db tables.Asker, take func(T), read func(*sql.Rows) (T, error), query string,
	args ...any) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		e, err := read(rows)
		if err != nil {
			return err
		}
		take(e)
	}
	return rows.Err()
}
