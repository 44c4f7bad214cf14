package postgres

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// Listen calls heard for each notification on a channel, and once when it has begun to listen. It returns when ctx is
// done, or when the connection has ended.
func Listen(ctx context.Context, db *sql.DB, channel string, heard func()) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(c any) error {
		own := c.(*stdlib.Conn).Conn()
		if _, err := own.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
			return err
		}
		for {
			heard()
			if _, err := own.WaitForNotification(ctx); err != nil {
				return err
			}
		}
	})
}
