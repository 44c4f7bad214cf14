package dmarc

import (
	"context"
	"database/sql"
	"strings"

	"github.com/milterscan/milterscan/scan/format/markup"
)

// organization returns the domain under which it is counted how many reports a destination gets. All hosts of an
// organisation count together: who has a zone can have hosts by the thousand in it, and agree for each to
// reports about any domain, by one record with a wildcard.
func (d Destination) organization() string {
	_, host, _ := strings.Cut(d.Address, "@")
	return markup.Registrable(markup.Hostname(host))
}

// full reports whether a destination gets no more reports on a day.
func (s *Store) full(ctx context.Context, of day, to Destination, terms Config) (full bool, err error) {
	err = s.Read(ctx, func(db *sql.DB) error {
		var n int
		err := db.QueryRowContext(ctx, `SELECT coalesce(sum(n), 0) FROM sent WHERE day = ? AND destination = ?`, of, to.organization()).Scan(&n)
		full = n >= terms.PerDestination
		return err
	})
	return full, err
}

// take counts one more report to a destination on a day, unless it gets no more, and reports whether it did. So
// several processes together send no more.
func (s *Store) take(ctx context.Context, of day, to Destination, terms Config) (taken bool, err error) {
	err = s.Change(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `INSERT INTO sent (day, destination, n) VALUES (?1, ?2, 1)
			ON CONFLICT DO UPDATE SET n = n + 1 WHERE n < ?3`, of, to.organization(), terms.PerDestination)
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		taken = n > 0
		return err
	})
	return taken, err
}

// giveBack counts one report less, which the MTA has not taken.
func (s *Store) giveBack(ctx context.Context, of day, to Destination) error {
	return s.Change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE sent SET n = n - 1 WHERE day = ? AND destination = ? AND n > 0`, of, to.organization())
		return err
	})
}
