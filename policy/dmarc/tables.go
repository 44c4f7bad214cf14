package dmarc

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// database is where tables are: store.Database is one in a file, fleet.State one that hosts share.
type database interface {
	Read(ctx context.Context, do func(*sql.DB) error) error
	// Change commits what do did unless it failed. do may be called again.
	Change(ctx context.Context, do func(*sql.Tx) error) error
}

// tables has the state of reports, in SQLite or in PostgreSQL. Its queries are those that both understand.
type tables struct {
	db     database
	prefix string // of the names of tables, for which queries have "@"
	id     string // an expression for the name of a report
	due    string // a condition for reports that are due at $2, if the table knows
}

// callTime is how long a database may take to answer one call.
const callTime = 40 * time.Second

func (t tables) query(text string) string { return strings.ReplaceAll(text, "@", t.prefix) }

func (t tables) read(ctx context.Context, do func(context.Context, *sql.DB) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return t.db.Read(ctx, func(db *sql.DB) error { return do(ctx, db) })
}

// change runs a statement, and returns how many rows it has changed.
func (t tables) change(ctx context.Context, text string, args ...any) (n int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	err = t.db.Change(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, t.query(text), args...)
		if err != nil {
			return err
		}
		n, err = r.RowsAffected()
		return err
	})
	return n, err
}

// Reports returns the reports, the latest days first, at most so many.
func (t tables) Reports(ctx context.Context, most int) ([]Report, error) {
	return t.find(ctx, `ORDER BY day DESC, domain LIMIT $1`, int64(most))
}

// waiting returns reports of days before one that may be due.
func (t tables) waiting(ctx context.Context, before day, now time.Time) ([]Report, error) {
	return t.find(ctx, `WHERE day < $1 AND state = '' AND again <= $2`+t.due+` ORDER BY day, domain`,
		int64(before), now.Unix())
}

// one returns the report of a domain and a day.
func (t tables) one(ctx context.Context, of day, domain string) (Report, error) {
	list, err := t.find(ctx, `WHERE day = $1 AND domain = $2`, int64(of), domain)
	if err == nil && len(list) == 0 {
		err = ErrNothing
	}
	if err != nil {
		return Report{}, err
	}
	return list[0], nil
}

// find returns the reports that the end of a query says.
func (t tables) find(ctx context.Context, which string, args ...any) (list []Report, err error) {
	err = t.read(ctx, func(ctx context.Context, db *sql.DB) error {
		list = nil
		rows, err := db.QueryContext(ctx, t.query(`SELECT day, domain, policy, rua, state, again, tries, done, why, `+t.id+
			` FROM @report `+which), args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			r, err := scanReport(rows)
			if err != nil {
				return err
			}
			list = append(list, r)
		}
		return rows.Err()
	})
	return list, err
}

func scanReport(rows *sql.Rows) (r Report, err error) {
	var again int64
	var done string
	if err := rows.Scan(&r.day, &r.Domain, &r.policy, &r.rua, &r.State,
		&again, &r.Tries, &done, &r.Why, &r.id); err != nil {
		return r, err
	}
	if err := json.Unmarshal([]byte(done), &r.done); err != nil {
		return r, err
	}
	r.Day, r.Addresses = r.day.String(), r.done
	if again > 0 {
		r.Again = time.Unix(again, 0).UTC()
	}
	return r, nil
}

// rows returns every row of a report and its count.
func (t tables) rows(ctx context.Context, r Report) (list []row, counts []int64, err error) {
	err = t.read(ctx, func(ctx context.Context, db *sql.DB) error {
		list, counts = nil, nil
		rows, err := db.QueryContext(ctx,
			t.query(`SELECT row, n FROM @row WHERE day = $1 AND domain = $2 ORDER BY n DESC, sum`), int64(r.day), r.Domain)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var text string
			var one row
			var n int64
			if err := errors.Join(rows.Scan(&text, &n), json.Unmarshal([]byte(text), &one)); err != nil {
				return err
			}
			list, counts = append(list, one), append(counts, n)
		}
		return rows.Err()
	})
	return list, counts, err
}

// claim takes a report for a while, unless another process has taken it. It is tried again
// at the end of that time, if nothing else is written down. From then on nothing is added to it.
func (t tables) claim(ctx context.Context, r Report, now time.Time) (mine bool, err error) {
	n, err := t.change(ctx, `UPDATE @report SET again = $1 WHERE day = $2 AND domain = $3 AND state = '' AND again <= $4`,
		now.Add(taken).Unix(), int64(r.day), r.Domain, now.Unix())
	return n > 0, err
}

// taken is how long a report is left to the process that has taken it.
const taken = time.Hour

// note writes down what has become of a report.
func (t tables) note(ctx context.Context, r Report) error {
	done, err := json.Marshal(r.done)
	if err != nil {
		return err
	}
	_, err = t.change(ctx,
		`UPDATE @report SET state = $1, again = $2, tries = $3, done = $4, why = $5 WHERE day = $6 AND domain = $7`,
		string(r.State), max(r.Again.Unix(), 0), int64(r.Tries), string(done), r.Why, int64(r.day), r.Domain)
	return err
}

// full reports whether a destination gets no more reports on a day.
func (t tables) full(ctx context.Context, of day, to Destination, terms Config) (full bool, err error) {
	err = t.read(ctx, func(ctx context.Context, db *sql.DB) error {
		var n int64
		err := db.QueryRowContext(ctx, t.query(`SELECT n FROM @sent WHERE day = $1 AND destination = $2`),
			int64(of), to.organization()).Scan(&n)
		if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
		full = n >= int64(terms.PerDestination)
		return err
	})
	return full, err
}

// take counts one more report to a destination on a day, unless it gets no more, and reports whether it did. So
// several processes together send no more.
func (t tables) take(ctx context.Context, of day, to Destination, terms Config) (taken bool, err error) {
	n, err := t.change(ctx, `INSERT INTO @sent (day, destination, n) VALUES ($1, $2, 1)
		ON CONFLICT (day, destination) DO UPDATE SET n = @sent.n + 1 WHERE @sent.n < $3`,
		int64(of), to.organization(), int64(terms.PerDestination))
	return n > 0, err
}

// giveBack counts one report less, which the MTA has not taken.
func (t tables) giveBack(ctx context.Context, of day, to Destination) error {
	_, err := t.change(ctx, `UPDATE @sent SET n = n - 1 WHERE day = $1 AND destination = $2 AND n > 0`,
		int64(of), to.organization())
	return err
}
