package shared

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy/keep/postgres"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

// batch is how many rows the database is asked for at once: no statement takes long, however long a list is.
const batch = 500

// Find lists rows, newest first.
func (s *Store) Find(ctx context.Context, f quarantine.Filter) (rows []quarantine.Row, err error) {
	if f.Waiting != nil && len(f.Waiting) == 0 {
		return nil, nil // of a person without an address
	}
	at := begin(f)
	for {
		n := 0
		err := s.page(ctx, f, at, func(text []byte) error {
			var r quarantine.Row
			if err := json.Unmarshal(text, &r); err != nil {
				return fmt.Errorf("a row of the quarantine cannot be read: %w", err)
			}
			n++
			at = place{r.Time.UnixMilli(), r.ID}
			if f.Matches(r) && (f.Limit == 0 || len(rows) < f.Limit) {
				rows = append(rows, r)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if n < batch || f.Limit > 0 && len(rows) >= f.Limit {
			return rows, nil
		}
	}
}

// place is where a list goes on: with what comes after the row that has this time and id.
type place struct {
	time int64
	id   string
}

// begin returns the place at which a list begins.
func begin(f quarantine.Filter) place {
	switch {
	case f.Before.IsZero():
		return place{math.MaxInt64, ""}
	case f.Below == "":
		return place{f.Before.Add(time.Millisecond - 1).UnixMilli(), ""}
	}
	return place{f.Before.UnixMilli(), postgres.Key(f.Below)}
}

// page calls use with the next rows that may be what a filter lets through.
func (s *Store) page(ctx context.Context, f quarantine.Filter, at place, use func(row []byte) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	q := queryOf(f, at)
	return s.state.Read(ctx, func(db *sql.DB) error {
		rows, err := db.QueryContext(ctx, q.text.String(), q.args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var text sql.RawBytes // until the next one
			if err := rows.Scan(&text); err != nil {
				return err
			}
			if err := use(text); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// query is a statement that is put together.
type query struct {
	text strings.Builder
	args []any
}

// add appends some SQL, in which each ? is an argument.
func (q *query) add(sql string, args ...any) {
	for _, arg := range args {
		before, after, _ := strings.Cut(sql, "?")
		q.args = append(q.args, arg)
		fmt.Fprintf(&q.text, "%s$%d", before, len(q.args))
		sql = after
	}
	q.text.WriteString(sql)
}

// lowered is a row as quarantine.Filter.Pieces has it. The Kelvin sign and the dotted capital I have lower cases in ASCII.
const lowered = `lower(translate(row, U&'\212A\0130', 'ki') COLLATE "C")`

// queryOf asks for rows that may be what a filter lets through: for all that are, and few others.
func queryOf(f quarantine.Filter, at place) *query {
	q := &query{}
	if f.Waiting == nil {
		q.add(`SELECT row FROM quarantine AS q WHERE (q.time, q.id) < (?, ?) AND q.time >= ?`, at.time, at.id, since(f))
	} else {
		var list []string
		for _, a := range f.Waiting {
			list = append(list, postgres.Key(a))
		}
		q.add(`SELECT row FROM (SELECT DISTINCT time, id FROM quarantine_waiting
			WHERE address = ANY(?::text[]) AND (time, id) < (?, ?) AND time >= ?) AS mine
			JOIN quarantine AS q USING (id) WHERE true`, list, at.time, at.id, since(f))
	}
	if f.Class != "" {
		q.add(` AND class = ?`, postgres.Key(f.Class))
	}
	if f.State != "" {
		q.add(` AND state = ?`, postgres.Key(string(f.State)))
	}
	if f.QueueID != "" {
		q.add(` AND queue = ?`, postgres.Key(f.QueueID))
	}
	if f.Open {
		q.add(` AND NOT handled`)
	}
	if f.Asked {
		q.add(` AND NOT unasked`)
	}
	if f.Name != "" {
		name := postgres.Key(f.Name)
		q.add(` AND (id = ? OR queue = ? OR message = ? OR starts_with(id, ?))`, name, name, name, name)
	}
	for _, piece := range f.Pieces() {
		q.add(` AND strpos(`+lowered+`, ?) > 0`, piece)
	}
	q.add(` ORDER BY q.time DESC, q.id DESC LIMIT ?`, int64(batch))
	return q
}

// since returns the millisecond from which on rows are wanted.
func since(f quarantine.Filter) int64 {
	if f.Since.IsZero() {
		return math.MinInt64
	}
	return f.Since.UnixMilli()
}
