package store

import (
	"context"
	"database/sql"
)

// Rows asks a query, and returns what read makes of each row of the answer.
func Rows[T any](ctx context.Context, db asker, read func(*sql.Rows) (T, error), query string, args ...any) (list []T, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		one, err := read(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, rows.Err()
}
