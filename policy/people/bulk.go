package people

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/milterscan/milterscan/policy/keep/tables"
)

// atOnce is how many entries are written or removed in one go: no other process waits long.
const atOnce = 10_000

// sorted is how many entries are put into order before they are written. Entries that are next to each other are on
// the same pages of the index: a million in any order write each page of it a hundred times, those in order a few
// times.
const sorted = 200_000

// Import makes entries, some thousand at a time, as Add does each. It returns how many were made
// before one could not be: one that is wrong has those not made that were read together with it. A maker for the whole
// host may bring who made an entry, and when.
func (s *Store) Import(ctx context.Context, by Maker, entries iter.Seq2[Entry, error]) (int, error) {
	next, stop := iter.Pull2(entries)
	defer stop()
	made := 0
	for {
		some, err := nextSlice(ctx, by, next)
		if err != nil {
			return made, plainly(err)
		}
		left := len(some)
		replaced := left
		some = lastOfEach(some)
		replaced -= len(some)
		for few := range slices.Chunk(some, atOnce) {
			if err := s.importSlice(ctx, by, few); err != nil {
				return made, plainly(err)
			}
			made += len(few)
		}
		if made += replaced; left < sorted {
			return made, nil
		}
	}
}

// nextSlice returns the next entries as they are kept.
func nextSlice(ctx context.Context, by Maker, next func() (Entry, error, bool)) ([]Entry, error) {
	now := time.Now().Truncate(time.Second)
	var some []Entry
	for len(some) < sorted && ctx.Err() == nil {
		read, err, ok := next()
		if !ok {
			break
		}
		e := read
		if err == nil {
			e, err = by.Entry(read, now)
		}
		if err != nil {
			return nil, err
		}
		if by.Level == OfHost && read.Maker != "" && !read.Made.IsZero() {
			e.Maker, e.Made = read.Maker, read.Made
		}
		some = append(some, e)
	}
	return some, ctx.Err()
}

// rows is how many entries one statement writes, and columns how many values each of them has.
const (
	rows    = 500
	columns = 10
)

func (s *Store) importSlice(ctx context.Context, by Maker, some []Entry) error {
	return s.change(ctx, func(tx tables.Asker, n int64) error {
		for i := range some {
			if err := by.room(ctx, tx, some[i]); err != nil {
				return err
			}
		}
		put, end, err := s.db().Repeat(ctx, tx, putting(min(rows, len(some))))
		if err != nil {
			return err
		}
		defer end()
		values := make([]any, 0, rows*columns)
		for few := range slices.Chunk(some, rows) {
			values = values[:0]
			for _, e := range few {
				values = append(values, e.values(n)...)
			}
			if len(few) == rows || len(few) == len(some) {
				err = put(values...)
			} else {
				_, err = tx.ExecContext(ctx, putting(len(few)), values...)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// RemoveAll removes all entries that meet a filter, some thousand at a time, and returns how many
// went.
func (s *Store) RemoveAll(ctx context.Context, f Filter) (int, error) {
	where, args := f.where()
	return s.removeWhere(ctx, where, args)
}

func (s *Store) removeWhere(ctx context.Context, where string, args []any) (int, error) {
	removed := 0
	first := `SELECT id FROM entry WHERE ` + where + ` ORDER BY id LIMIT ?`
	number := func(rows *sql.Rows) (id int64, err error) { return id, rows.Scan(&id) }
	for {
		var some []int64
		err := s.db().Read(ctx, func(db tables.Asker) (err error) {
			some, err = tables.Rows(ctx, db, number, first, slices.Concat(args, []any{atOnce})...)
			return err
		})
		if err != nil || len(some) == 0 {
			return removed, err
		}
		n, err := s.removeUpTo(ctx, some[len(some)-1], where, args)
		if removed += n; err != nil {
			return removed, err
		}
	}
}

// removeUpTo removes the entries up to a number that meet a condition, and notes that they are no more.
func (s *Store) removeUpTo(ctx context.Context, last int64, where string, args []any) (n int, err error) {
	err = s.change(ctx, func(tx tables.Asker, change int64) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO gone (change, owner, pattern, authenticated)
			SELECT ?, owner, pattern, authenticated FROM entry WHERE id <= ? AND `+where,
			slices.Concat([]any{change, last}, args)...); err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, `DELETE FROM entry WHERE id <= ? AND `+where, slices.Concat([]any{last}, args)...)
		if err != nil {
			return err
		}
		went, err := done.RowsAffected()
		n = int(went)
		return err
	})
	return n, err
}

// mostGone is how many removals are remembered. A reader that has not read for so long reads
// everything again.
const mostGone = 10_000

// ExpireEntries removes entries that have expired, and forgets old removals. It returns how many
// entries went.
func (s *Store) ExpireEntries(ctx context.Context, now time.Time) (int, error) {
	n, err := s.removeWhere(ctx, `expires > 0 AND expires <= ?`, []any{now.Unix()})
	if err != nil {
		return n, err
	}
	var last int64
	err = s.db().Read(ctx, func(db tables.Asker) error {
		return db.QueryRowContext(ctx, `SELECT change FROM gone ORDER BY change DESC LIMIT 1 OFFSET ?`, mostGone).Scan(&last)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return n, nil
	}
	if err != nil {
		return n, err
	}
	return n, s.db().Change(ctx, func(tx tables.Asker) error {
		_, err := tx.ExecContext(ctx, `UPDATE changed SET floor = max(floor, ?)`, last)
		if err == nil {
			_, err = tx.ExecContext(ctx, `DELETE FROM gone WHERE change <= ?`, last)
		}
		return err
	})
}

// lastOfEach puts entries into the order of the index, and leaves out those that others with the same owner,
// pattern and authentication follow: one statement cannot write a row twice (in other engines than SQLite).
func lastOfEach(some []Entry) []Entry {
	order := make([]int32, len(some)) // entries themselves are too large to be moved about
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(i, j int32) int {
		a, b := &some[i], &some[j]
		return cmp.Or(cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Pattern, b.Pattern),
			cmp.Compare(number(a.Authenticated), number(b.Authenticated)), cmp.Compare(i, j))
	})
	last := make([]Entry, 0, len(some))
	for n, i := range order {
		if n+1 < len(order) && some[i].sameKey(some[order[n+1]]) {
			continue
		}
		last = append(last, some[i])
	}
	return last
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// sameKey reports whether one entry replaces the other.
func (e Entry) sameKey(o Entry) bool {
	return e.Owner == o.Owner && e.Pattern == o.Pattern && e.Authenticated == o.Authenticated
}
