package dmarc

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/milterscan/milterscan/policy/keep/store"
	"github.com/milterscan/milterscan/scan/format/markup"
)

// schema of the file. Times are in seconds since 1970. The latest policy of a day is
// reported (RFC 9990, section 3.1.8). done says
// what has become of it at each address, which need not be tried again.
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
`

// State is what has become of a report.
type State string

// The states.
const (
	Waiting  State = ""         // its day is not over, or it is tried again
	Sent     State = "sent"     // the MTA has it for all who want it, or may have
	Unwanted State = "unwanted" // the domain does not ask for it any more
	Failed   State = "failed"   // it was given up
)

// Report is the state of the report of a domain and a day.
type Report struct {
	Domain string    `json:"domain"`
	Day    string    `json:"day"`
	State  State     `json:"state"`
	Again  time.Time `json:"again,omitzero"` // when it is tried again
	Tries  int       `json:"tries"`
	Why    string    `json:"why,omitempty"` // the last trouble
	// What has become of it at each address.
	Addresses map[string]State `json:"addresses,omitempty"`

	day    day
	policy string
	rua    string
	done   map[string]State // by address
}

// Store is the file.
type Store struct{ *store.Database }

// NewStore returns the store in a file. It is opened when it is first used.
func NewStore(path string) *Store { return &Store{store.NewDatabase(path, schema)} }

// add adds what was counted, and returns how many messages found no room.
func (s *Store) add(ctx context.Context, lot map[place]*count, terms Config) (lost int64, err error) {
	err = s.Change(ctx, func(tx *sql.Tx) error {
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
	r, err := tx.ExecContext(ctx, `UPDATE row SET n = n + ? WHERE day = ? AND domain = ? AND sum = ?`, n.n, at.day, at.domain, at.row[:])
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

// mostOfOne bounds the reports of a day about the domains of one owner, who could publish a policy
// for as many as he likes.
const mostOfOne = 200

// begin begins the report of a domain, or notes its latest policy, and returns for how
// many further rows there is room.
func begin(ctx context.Context, tx *sql.Tx, of place, n *count, terms Config) (room int, err error) {
	var domains, rows, known, owned int
	owner := markup.Registrable(of.domain)
	const counted = `SELECT (SELECT count(*) FROM report WHERE day = ?1), (SELECT count(*) FROM row WHERE day = ?1 AND domain = ?2),
		(SELECT count(*) FROM report WHERE day = ?1 AND domain = ?2), (SELECT count(*) FROM report WHERE day = ?1 AND owner = ?3)`
	if err := tx.QueryRowContext(ctx, counted, of.day, of.domain, owner).Scan(&domains, &rows, &known, &owned); err != nil {
		return 0, err
	}
	if known == 0 && (domains >= terms.Domains || owned >= mostOfOne) {
		return 0, nil
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO report (day, domain, policy, rua, owner) VALUES (?1, ?2, ?3, ?4, ?5)
		ON CONFLICT DO UPDATE SET policy = ?3, rua = ?4`, of.day, of.domain, published(n.policy), n.policy.ReportAddresses, owner)
	return terms.Rows - rows, err
}

const columns = `SELECT day, domain, policy, rua, state, again, tries, done, why FROM report `

// Reports returns the reports, the latest days first, at most so many.
func (s *Store) Reports(ctx context.Context, most int) ([]Report, error) {
	return s.find(ctx, columns+`ORDER BY day DESC, domain LIMIT ?`, most)
}

// waiting returns reports of days before one that may be due.
func (s *Store) waiting(ctx context.Context, before day, now time.Time) ([]Report, error) {
	return s.find(ctx, columns+`WHERE day < ? AND state = '' AND again <= ? ORDER BY day, domain`, before, now.Unix())
}

// one returns the report of a domain and a day.
func (s *Store) one(ctx context.Context, of day, domain string) (Report, error) {
	list, err := s.find(ctx, columns+`WHERE day = ? AND domain = ?`, of, domain)
	if err == nil && len(list) == 0 {
		err = ErrNothing
	}
	if err != nil {
		return Report{}, err
	}
	return list[0], nil
}

// ErrNothing says that there is nothing to report.
var ErrNothing = errors.New("there is nothing to report")

func (s *Store) find(ctx context.Context, query string, args ...any) (list []Report, err error) {
	err = s.Read(ctx, func(db *sql.DB) error {
		list = nil
		rows, err := db.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var r Report
			var again int64
			var done string
			if err := rows.Scan(&r.day, &r.Domain, &r.policy, &r.rua, &r.State, &again, &r.Tries, &done, &r.Why); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(done), &r.done); err != nil {
				return err
			}
			r.Day, r.Addresses = r.day.String(), r.done
			if again > 0 {
				r.Again = time.Unix(again, 0).UTC()
			}
			list = append(list, r)
		}
		return rows.Err()
	})
	return list, err
}

// rows calls do with every row of a report and its count.
func (s *Store) rows(ctx context.Context, r Report) (list []row, counts []int64, err error) {
	err = s.Read(ctx, func(db *sql.DB) error {
		list, counts = nil, nil
		rows, err := db.QueryContext(ctx, `SELECT row, n FROM row WHERE day = ? AND domain = ? ORDER BY n DESC, sum`, r.day, r.Domain)
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
// at the end of that time, if nothing else is written down.
func (s *Store) claim(ctx context.Context, r Report, now time.Time) (mine bool, err error) {
	err = s.Change(ctx, func(tx *sql.Tx) error {
		mine = false
		done, err := tx.ExecContext(ctx, `UPDATE report SET again = ? WHERE day = ? AND domain = ? AND state = '' AND again <= ?`,
			now.Add(taken).Unix(), r.day, r.Domain, now.Unix())
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		mine = n > 0
		return err
	})
	return mine, err
}

// taken is how long a report is left to the process that has taken it.
const taken = time.Hour

// note writes down what has become of a report.
func (s *Store) note(ctx context.Context, r Report) error {
	done, err := json.Marshal(r.done)
	if err != nil {
		return err
	}
	return s.Change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE report SET state = ?, again = ?, tries = ?, done = ?, why = ? WHERE day = ? AND domain = ?`,
			r.State, max(r.Again.Unix(), 0), r.Tries, string(done), r.Why, r.day, r.Domain)
		return err
	})
}

// Expire forgets days that have long been reported.
func (s *Store) Expire(ctx context.Context, before time.Time) (int, error) {
	n := 0
	for _, query := range []string{`DELETE FROM sent WHERE day < ?`, `DELETE FROM row WHERE day < ?`, `DELETE FROM report WHERE day < ?`} {
		err := s.Change(ctx, func(tx *sql.Tx) error {
			r, err := tx.ExecContext(ctx, query, dayOf(before))
			if err != nil {
				return err
			}
			gone, err := r.RowsAffected()
			n = int(gone)
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	return n, nil
}
