package dmarc

import (
	"context"
	"database/sql"
	"time"

	"github.com/milterscan/milterscan/policy/keep/store"
	"github.com/milterscan/milterscan/scan/format/markup"
)

// schema of the file. Times are in seconds since 1970. The latest policy of a day is
// reported (RFC 9990, section 3.1.8). done says
// what has become of it at each address, which need not be tried again. outgoing has the parcel that is on its way
// to other hosts, see Shared.
const schema = `
CREATE TABLE IF NOT EXISTS report (
	day INTEGER NOT NULL, domain TEXT NOT NULL, owner TEXT NOT NULL, policy TEXT NOT NULL, rua TEXT NOT NULL,
	state TEXT NOT NULL DEFAULT '', again INTEGER NOT NULL DEFAULT 0, tries INTEGER NOT NULL DEFAULT 0,
	done TEXT NOT NULL DEFAULT '{}', why TEXT NOT NULL DEFAULT '',
	PRIMARY KEY (day, domain)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS report_waiting ON report (day, domain) WHERE state = '';
CREATE INDEX IF NOT EXISTS report_owner ON report (day, owner);
CREATE TABLE IF NOT EXISTS row (
	day INTEGER NOT NULL, domain TEXT NOT NULL, sum BLOB NOT NULL, row TEXT NOT NULL, n INTEGER NOT NULL,
	PRIMARY KEY (day, domain, sum)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sent (
	day INTEGER NOT NULL, destination TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (day, destination)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outgoing (
	parcel TEXT NOT NULL, day INTEGER NOT NULL, domain TEXT NOT NULL, policy TEXT NOT NULL, rua TEXT NOT NULL,
	sum BLOB NOT NULL, row TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (parcel, day, domain, sum)) WITHOUT ROWID;
`

// File is a Store for one host.
type File struct {
	*store.Database
	tables
}

// NewFile returns the store in a file. It is opened when it is first used.
func NewFile(path string) *File {
	db := store.NewDatabase(path, schema)
	return &File{db, tables{db: db, id: "''"}}
}

// forward implements Store: nothing is to be brought anywhere.
func (f *File) forward(context.Context, Config, time.Time) (int64, error) { return 0, nil }

// begun implements Store: all reports are of this host.
func (f *File) begun() Store { return nil }

// add implements Store.
func (f *File) add(ctx context.Context, lot map[place]*count, terms Config) (lost int64, err error) {
	err = f.Change(ctx, func(tx *sql.Tx) error {
		lost = 0
		rooms := map[place]int{} // for further rows, by place without a row
		for at, n := range lot {
			ok, err := addOne(ctx, tx, at, n, terms, rooms)
			if err != nil {
				return err
			}
			if !ok {
				lost += n.n
			}
		}
		return nil
	})
	return lost, err
}

// addOne adds one row, if its domain and its report have room for it.
func addOne(ctx context.Context, tx *sql.Tx, at place, n *count, terms Config, rooms map[place]int) (bool, error) {
	of := place{day: at.day, domain: at.domain}
	if _, known := rooms[of]; !known {
		room, err := begin(ctx, tx, of, n, terms)
		if err != nil {
			return false, err
		}
		rooms[of] = room
	}
	if rooms[of] == closed {
		return false, nil
	}
	r, err := tx.ExecContext(ctx, `UPDATE row SET n = n + ? WHERE day = ? AND domain = ? AND sum = ?`,
		n.n, at.day, at.domain, at.row[:])
	if err != nil {
		return false, err
	}
	if changed, err := r.RowsAffected(); err != nil || changed > 0 {
		return err == nil, err
	}
	if rooms[of] <= 0 {
		return false, nil
	}
	rooms[of]--
	_, err = tx.ExecContext(ctx, `INSERT INTO row (day, domain, sum, row, n) VALUES (?, ?, ?, ?, ?)`,
		at.day, at.domain, at.row[:], string(n.row), n.n)
	return err == nil, err
}

// closed is the room of a report to which nothing can be added.
const closed = -1

// begin begins the report of a domain, or notes its latest policy, and returns for how
// many further rows there is room.
func begin(ctx context.Context, tx *sql.Tx, of place, n *count, terms Config) (room int, err error) {
	var domains, rows, known, begun, owned int
	owner := markup.Registrable(of.domain)
	const counted = `SELECT (SELECT count(*) FROM report WHERE day = ?1), (SELECT count(*) FROM row WHERE day = ?1 AND domain = ?2),
		(SELECT count(*) FROM report WHERE day = ?1 AND domain = ?2),
		(SELECT count(*) FROM report WHERE day = ?1 AND domain = ?2 AND (state <> '' OR again <> 0)),
		(SELECT count(*) FROM report WHERE day = ?1 AND owner = ?3)`
	if err := tx.QueryRowContext(ctx, counted, of.day, of.domain, owner).Scan(
		&domains, &rows, &known, &begun, &owned); err != nil {
		return 0, err
	}
	if begun > 0 || known == 0 && (domains >= terms.Domains || owned >= mostOfOne) {
		return closed, nil
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO report (day, domain, policy, rua, owner) VALUES (?1, ?2, ?3, ?4, ?5)
		ON CONFLICT DO UPDATE SET policy = ?3, rua = ?4`, of.day, of.domain, published(n.policy), n.policy.ReportAddresses, owner)
	return max(terms.Rows-rows, 0), err
}

// Expire implements Store.
func (f *File) Expire(ctx context.Context, before time.Time) (int, error) {
	var n int64
	for _, text := range []string{`DELETE FROM @sent WHERE day < $1`, `DELETE FROM @row WHERE day < $1`,
		`DELETE FROM @report WHERE day < $1`} {
		var err error
		if n, err = f.change(ctx, text, int64(dayOf(before))); err != nil {
			return 0, err
		}
	}
	return int(n), nil
}
