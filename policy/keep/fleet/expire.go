package fleet

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// expiry names the rows to remove from a table with the columns key and one that says until when a row is of use.
type expiry struct {
	table, until string
	now          string // an expression, in the unit of until
	most         int    // rows that may be left; those go first that would be next
}

// slice is how many rows are removed in one statement. Rows that others hold are left for the next time.
const slice = 2000

// expire removes rows. Several hosts may do so at once.
func (s *State) expire(ctx context.Context, e expiry) (n int, err error) {
	gone, err := s.remove(ctx, e, e.now)
	if err != nil {
		return gone, err
	}
	var limit int64
	err = s.Read(ctx, func(db *sql.DB) error {
		query := fmt.Sprintf(`SELECT %s FROM %s ORDER BY %[1]s DESC LIMIT 1 OFFSET $1`, e.until, e.table)
		return db.QueryRowContext(ctx, query, int64(e.most-1)).Scan(&limit)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return gone, nil
	}
	if err != nil {
		return gone, err
	}
	more, err := s.remove(ctx, e, fmt.Sprintf("%d::bigint", limit))
	return gone + more, err
}

// remove removes rows that were of use before a moment, slice by slice.
func (s *State) remove(ctx context.Context, e expiry, before string) (n int, err error) {
	query := fmt.Sprintf(
		`DELETE FROM %s WHERE key IN (SELECT key FROM %[1]s WHERE %s < %s LIMIT %d FOR UPDATE SKIP LOCKED)`,
		e.table, e.until, before, slice)
	for {
		var gone int64
		err := s.Read(ctx, func(db *sql.DB) error {
			r, err := db.ExecContext(ctx, query)
			if err != nil {
				return err
			}
			gone, err = r.RowsAffected()
			return err
		})
		n += int(gone)
		if err != nil || gone == 0 {
			return n, err
		}
	}
}
