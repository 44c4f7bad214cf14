package postgres

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5/stdlib"
)

// Raw asks a query over a connection, which may be within a transaction, and calls use with each row of the answer, in the binary
// form of its types: as it came, without the copies that database/sql makes of what is large. use keeps nothing of a row.
// Arguments are written as text.
func Raw(ctx context.Context, c *sql.Conn, use func(row [][]byte) error, query string, args ...string) error {
	return c.Raw(func(driver any) error {
		conn, ok := driver.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("%T is no connection to PostgreSQL", driver)
		}
		values := make([][]byte, len(args))
		for i, a := range args {
			values[i] = []byte(a)
		}
		answer := conn.Conn().PgConn().ExecParams(ctx, query, values, nil, nil, []int16{binary})
		var used error
		for used == nil && answer.NextRow() {
			used = use(answer.Values())
		}
		if _, err := answer.Close(); err != nil {
			return err
		}
		return used
	})
}

// binary is the number of the form that types are sent in between programs.
const binary = 1
