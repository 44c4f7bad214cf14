package people

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/milterscan/milterscan/policy/keep/tables"
)

// Copied says what became of the rows of one table that were copied.
type Copied struct {
	What  string
	Rows  int // that there were
	Added int // those that the other place did not have; it keeps its own rows of the same keys
}

// part is a table with all that people would miss. Numbers of rows and of changes are each place's own.
type part struct {
	what, table string
	columns     string
	counted     bool // each change of it has a number, in a column after these
	// removed asks a place for the keys of what was removed there, where that is remembered: such rows do not come back.
	removed string
	keyed   []int // the numbers of the columns that are the key
}

var parts = []part{
	{"entries of lists", "entry", "owner, domain, pattern, authenticated, act, expires, note, maker, made", true,
		`SELECT owner, pattern, authenticated FROM gone`, []int{0, 2, 3}},
	{"limits of the score", "score_limit", "address, score", true, "", nil},
	{"settings", "setting", "address, language, digest, at", false, "", nil},
	{"delegates", "delegate", "owner, delegate, maker, made", false, `SELECT owner, delegate FROM dismissed`, []int{0, 1}},
	{"used links", "link", "nonce, used, expires", false, "", nil},
	{"requests", "request", "kind, message, address, domain, who, client, text, time, state, by, answer, answered", false, "", nil},
	{"digests", "digest", "person, address, due, until, claim, claimed, sent, message, refused, bounced, trouble", false, "", nil},
}

// copiedTogether is how many rows are written in one change.
const copiedTogether = 500

// CopyTo writes all rows into another place, in steps. What that has already stays as it is, so that a copy may be
// begun again. step is told how many rows were written.
func (s *Store) CopyTo(ctx context.Context, to *Store, step func(n int)) (list []Copied, err error) {
	for _, p := range parts {
		c, err := p.copy(ctx, s, to, step)
		if err != nil {
			return list, fmt.Errorf("%s: after %d of them: %w", p.what, c.Rows, err)
		}
		list = append(list, c)
	}
	return list, nil
}

func (p part) copy(ctx context.Context, from, to *Store, step func(n int)) (c Copied, err error) {
	c.What = p.what
	add := func(some [][]any) error {
		err := p.add(ctx, to, some, &c)
		if err == nil {
			step(len(some))
		}
		return err
	}
	err = from.db().Still(ctx, func(db tables.Asker) error {
		rows, err := db.QueryContext(ctx, `SELECT `+p.columns+` FROM `+p.table)
		if err != nil {
			return err
		}
		defer rows.Close()
		var some [][]any
		for rows.Next() {
			row := make([]any, strings.Count(p.columns, ",")+1)
			into := make([]any, len(row))
			for i := range row {
				into[i] = &row[i]
			}
			if err := rows.Scan(into...); err != nil {
				return err
			}
			if some = append(some, row); len(some) == copiedTogether {
				if err := add(some); err != nil {
					return err
				}
				some = nil
			}
		}
		if err := rows.Err(); err != nil || len(some) == 0 {
			return err
		}
		return add(some)
	})
	return c, err
}

// add writes some rows, and counts them.
func (p part) add(ctx context.Context, to *Store, some [][]any, c *Copied) error {
	var added int
	insert := func(tx tables.Asker, number []any) error {
		gone, err := p.gone(ctx, tx)
		if err != nil {
			return err
		}
		added = 0 // if it is called again
		for _, row := range some {
			if gone[p.key(row)] {
				continue
			}
			done, err := tx.ExecContext(ctx, p.insert(), append(row[:len(row):len(row)], number...)...)
			if err != nil {
				return err
			}
			n, err := done.RowsAffected()
			if err != nil {
				return err
			}
			added += int(n)
		}
		return nil
	}
	var err error
	if p.counted {
		err = to.change(ctx, func(tx tables.Asker, n int64) error { return insert(tx, []any{n}) })
	} else {
		err = to.db().Change(ctx, func(tx tables.Asker) error { return insert(tx, nil) })
	}
	if err == nil {
		c.Rows, c.Added = c.Rows+len(some), c.Added+added
	}
	return err
}

// gone returns the keys of the rows that were removed where some are to be written.
func (p part) gone(ctx context.Context, in tables.Asker) (map[string]bool, error) {
	if p.removed == "" {
		return nil, nil
	}
	read := func(rows *sql.Rows) (string, error) {
		key, into := make([]any, len(p.keyed)), make([]any, len(p.keyed))
		for i := range key {
			into[i] = &key[i]
		}
		err := rows.Scan(into...)
		return fmt.Sprintf("%q", key), err
	}
	keys, err := tables.Rows(ctx, in, read, p.removed)
	gone := make(map[string]bool, len(keys))
	for _, k := range keys {
		gone[k] = true
	}
	return gone, err
}

// key returns the key of a row, as gone has it.
func (p part) key(row []any) string {
	key := make([]any, len(p.keyed))
	for i, n := range p.keyed {
		key[i] = row[n]
	}
	return fmt.Sprintf("%q", key)
}

// insert returns the statement that writes one row.
func (p part) insert() string {
	columns := p.columns
	if p.counted {
		columns += ", change"
	}
	return `INSERT INTO ` + p.table + ` (` + columns + `) VALUES (?` + strings.Repeat(", ?", strings.Count(columns, ",")) +
		`) ON CONFLICT DO NOTHING`
}
