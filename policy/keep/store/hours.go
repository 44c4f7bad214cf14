package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/milterscan/milterscan/policy/keep/history"
)

// mostHours is how many hours are looked at: a clock that was wrong once may have left
// some that are far away.
const mostHours = 24 * 400

// Hours returns one kind of counts, see history.Counted, hour by hour from the beginning
// of since's. It looks up each hour by itself, so what else is counted costs nothing.
func (h *History) Hours(ctx context.Context, what string, since time.Time) (list []history.Hour, err error) {
	err = h.use(ctx, func(db *sql.DB) (err error) {
		list, err = Rows(ctx, db, readHour, `WITH RECURSIVE h(hour) AS (
				SELECT max(?1, (SELECT min(hour) FROM count)) WHERE (SELECT min(hour) FROM count) IS NOT NULL
				UNION ALL SELECT hour + 1 FROM h WHERE hour < (SELECT max(hour) FROM count) LIMIT ?3)
			SELECT h.hour, c.value, c.n FROM h JOIN count c ON c.hour = h.hour AND c.what = ?2`, since.UnixMilli()/hour, what, mostHours)
		return err
	})
	return list, err
}

func readHour(rows *sql.Rows) (c history.Hour, err error) {
	var at int64
	err = rows.Scan(&at, &c.Value, &c.N)
	c.Begin = time.UnixMilli(at * hour)
	return c, err
}
