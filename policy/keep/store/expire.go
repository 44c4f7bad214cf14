package store

import (
	"context"
	"database/sql"
	"fmt"
)

// expiry names the rows to remove from a table with the columns key and one that says
// until when a row is of use.
type expiry struct {
	table, until string
	before       int64 // rows that were of use until then
	most         int   // rows that may be left; those go first that would be next
}

// expire removes rows in slices, so that no other process waits long.
func (f *file) expire(ctx context.Context, e expiry) (n int, err error) {
	old := `?`
	surplus := fmt.Sprintf(`(SELECT %s FROM %s ORDER BY %[1]s DESC LIMIT 1 OFFSET ?)`, e.until, e.table)
	for _, c := range []struct {
		limit string
		arg   int64
	}{{old, e.before}, {surplus, int64(e.most - 1)}} {
		query := fmt.Sprintf(`DELETE FROM %s WHERE key IN (SELECT key FROM %[1]s WHERE %s < %s ORDER BY %[2]s LIMIT ?)`, e.table, e.until,
			c.limit)
		gone, err := f.remove(ctx, query, c.arg)
		n += gone
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// remove runs a query that deletes a slice of rows until it finds no more.
func (f *file) remove(ctx context.Context, query string, arg int64) (n int, err error) {
	for {
		var gone int64
		err := f.use(ctx, func(db *sql.DB) error {
			r, err := db.ExecContext(ctx, query, arg, slice)
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
