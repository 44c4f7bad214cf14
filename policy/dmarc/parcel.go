package dmarc

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"strings"

	"github.com/milterscan/milterscan/scan/format/markup"
)

// parcel is a part of what a host has counted, on its way to where all hosts add up. It has an id by which it counts
// once, however often it is sent, and its content does not change. Its fields are columns.
type parcel struct {
	id                              string
	days, dues                      []int64 // of reports
	domains, owners, policies, ruas []string
	reports, counts                 []int64 // of rows; a report is its number, from 1 on
	sums, texts                     []string
}

// mostInParcel bounds the rows of a parcel.
const mostInParcel = 2000

// parcel returns the parcel that is on its way; or makes one of the rows in the file, which takes them out. It has no
// rows if there are none.
func (f *File) parcel(ctx context.Context) (p parcel, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	err = f.Change(ctx, func(tx *sql.Tx) (err error) {
		if p, err = load(ctx, tx); err != nil || len(p.texts) > 0 {
			return err
		}
		if err := pack(ctx, tx); err != nil {
			return err
		}
		p, err = load(ctx, tx)
		return err
	})
	return p, err
}

// pack takes rows out of the reports of this host into a new parcel. A report that this host has begun to send stays
// with it: some of its addresses may have it.
func pack(ctx context.Context, tx *sql.Tx) error {
	for _, step := range []struct {
		text string
		args []any
	}{
		{`INSERT INTO outgoing (parcel, day, domain, policy, rua, sum, row, n)
			SELECT ?, day, domain, policy, rua, sum, row, n FROM row JOIN report USING (day, domain)
			WHERE state = '' AND again = 0 ORDER BY day, domain LIMIT ?`, []any{rand.Text(), mostInParcel}},
		{`DELETE FROM row WHERE (day, domain, sum) IN (SELECT day, domain, sum FROM outgoing)`, nil},
		{`DELETE FROM report WHERE state = '' AND again = 0 AND NOT EXISTS
			(SELECT 1 FROM row WHERE row.day = report.day AND row.domain = report.domain)`, nil},
	} {
		if _, err := tx.ExecContext(ctx, step.text, step.args...); err != nil {
			return err
		}
	}
	return nil
}

// load reads the parcel that is on its way.
func load(ctx context.Context, tx *sql.Tx) (p parcel, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT parcel, day, domain, policy, rua, sum, row, n FROM outgoing
		WHERE parcel = (SELECT min(parcel) FROM outgoing) ORDER BY day, domain, sum`)
	if err != nil {
		return p, err
	}
	defer rows.Close()
	for rows.Next() {
		var of place
		var sum []byte
		var policy, rua, text string
		var n int64
		if err := rows.Scan(&p.id, &of.day, &of.domain, &policy, &rua, &sum, &text, &n); err != nil {
			return p, err
		}
		p.begin(of, policy, rua)
		p.reports, p.counts = append(p.reports, int64(len(p.days))), append(p.counts, n)
		p.sums, p.texts = append(p.sums, hex.EncodeToString(sum)), append(p.texts, text)
	}
	return p, rows.Err()
}

// begin adds a report, unless the last one is of the same day and domain.
func (p *parcel) begin(of place, policy, rua string) {
	domain := storable(of.domain)
	if last := len(p.days) - 1; last >= 0 && p.days[last] == int64(of.day) && p.domains[last] == domain {
		return
	}
	p.days, p.dues = append(p.days, int64(of.day)), append(p.dues, Report{Domain: domain, day: of.day}.Due().Unix())
	p.domains, p.owners = append(p.domains, domain), append(p.owners, markup.Registrable(domain))
	p.policies, p.ruas = append(p.policies, policy), append(p.ruas, storable(rua))
}

// storable returns a text as columns of PostgreSQL can have it: in UTF-8, and without NUL.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}

// arrived forgets a parcel, which is where all hosts add up.
func (f *File) arrived(ctx context.Context, p parcel) error {
	_, err := f.change(ctx, `DELETE FROM outgoing WHERE parcel = $1`, p.id)
	return err
}

// drop forgets what was counted on days before one, and returns how many messages these were, without those of reports
// that this host has sent or given up.
func (f *File) drop(ctx context.Context, before day) (lost int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	err = f.Change(ctx, func(tx *sql.Tx) error {
		const counted = `SELECT
			coalesce((SELECT sum(n) FROM row JOIN report USING (day, domain) WHERE day < ?1 AND state = ''), 0) +
			coalesce((SELECT sum(n) FROM outgoing WHERE day < ?1), 0)`
		if err := tx.QueryRowContext(ctx, counted, before).Scan(&lost); err != nil {
			return err
		}
		for _, text := range []string{`DELETE FROM row WHERE day < ?`, `DELETE FROM outgoing WHERE day < ?`,
			`DELETE FROM report WHERE day < ?`} {
			if _, err := tx.ExecContext(ctx, text, before); err != nil {
				return err
			}
		}
		return nil
	})
	return lost, err
}
