package dmarc

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Shared is a Store that several hosts have in common, in the tables of file "dmarc" of the layout of fleet.State.
// What a host counts goes into its own file first, and from there in parcels to the others' counts. So nothing is
// lost while the database is away, and nothing is counted twice when an answer is.
type Shared struct {
	tables
	own  *File
	file string // of own
}

// NewShared returns the store in a database, with the file in which this host's counts wait for it. Both are opened
// when they are first used.
func NewShared(state database, file string) *Shared {
	return &Shared{tables{db: state, prefix: "dmarc_", id: "id", due: " AND due <= $2"}, NewFile(file), file}
}

// Close closes the file.
func (s *Shared) Close() error { return s.own.Close() }

// add implements Store.
func (s *Shared) add(ctx context.Context, lot map[place]*count, terms Config) (lost int64, err error) {
	return s.own.add(ctx, lot, terms)
}

// begun implements Store. The reports are in the file of this host, if that was made.
func (s *Shared) begun() Store {
	if _, err := os.Stat(s.file); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return &File{s.own.Database, tables{db: s.own.Database, id: "''", due: " AND again > 0"}}
}

// mostParcels bounds what one call sends. The next one goes on.
const mostParcels = 50

// forward implements Store.
func (s *Shared) forward(ctx context.Context, terms Config, now time.Time) (lost int64, err error) {
	lost, err = s.own.drop(ctx, dayOf(now.Add(-remembered)))
	for range mostParcels {
		if err != nil {
			break
		}
		var p parcel
		if p, err = s.own.parcel(ctx); err != nil || len(p.texts) == 0 {
			break
		}
		var more int64
		more, err = s.deliver(ctx, p, terms)
		lost += more
	}
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrUnshared, err)
	}
	return lost, err
}

// deliver adds a parcel to what all hosts have counted, and returns how many messages found no room. It adds nothing of
// one that has been added: that is forgotten when this host knows.
func (s *Shared) deliver(ctx context.Context, p parcel, terms Config) (lost int64, err error) {
	if lost, err = s.deposit(ctx, p, terms); err == nil {
		err = s.own.arrived(ctx, p)
	}
	if err != nil {
		return 0, err
	}
	_, err = s.change(ctx, `DELETE FROM @parcel WHERE id = $1`, p.id)
	return lost, err
}

func (s *Shared) deposit(ctx context.Context, p parcel, terms Config) (lost int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	err = s.db.Change(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT dmarc_add($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
			p.id, p.days, p.domains, p.owners, p.policies, p.ruas, p.dues, p.reports, p.sums, p.texts, p.counts,
			int64(terms.Domains), int64(terms.Rows), int64(mostOfOne)).Scan(&lost)
	})
	return lost, err
}

// slice is how many rows are removed in one statement. Rows that others hold are left for the next time.
const slice = 2000

// Expire implements Store. All hosts do so.
func (s *Shared) Expire(ctx context.Context, before time.Time) (n int, err error) {
	for _, table := range []string{"sent", "row", "report"} {
		if n, err = s.expire(ctx, table, "day < $1", int64(dayOf(before))); err != nil {
			return 0, err
		}
	}
	_, err = s.expire(ctx, "parcel", "at < $1", before)
	return n, err
}

// expire removes the rows of a table that meet a condition, slice by slice.
func (s *Shared) expire(ctx context.Context, table, condition string, arg any) (all int, err error) {
	text := fmt.Sprintf(`DELETE FROM @%[1]s WHERE ctid = ANY (ARRAY (SELECT ctid FROM @%[1]s WHERE %s LIMIT %d FOR UPDATE SKIP LOCKED))`,
		table, condition, slice)
	for {
		n, err := s.change(ctx, text, arg)
		all += int(n)
		if err != nil || n == 0 {
			return all, err
		}
	}
}
