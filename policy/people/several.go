package people

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy/keep/tables"
)

// mostAsked is how many persons are asked about at a time.
const mostAsked = 500

// SettingsOf returns what persons have settled, by their main addresses; those who have settled nothing are
// missing. They are at most some hundred.
func (s *Store) SettingsOf(ctx context.Context, addresses []string) (map[string]Settings, error) {
	got := map[string]Settings{}
	err := s.about(ctx, addresses, `SELECT address, language, digest, at FROM setting WHERE address IN `, func(rows *sql.Rows) error {
		var address string
		var one Settings
		err := rows.Scan(&address, &one.Language, &one.Digest, &one.At)
		got[address] = one
		return err
	})
	return got, err
}

// DigestsOf returns how far the digests of persons are, likewise.
func (s *Store) DigestsOf(ctx context.Context, persons []string) (map[string]Digest, error) {
	got := map[string]Digest{}
	err := s.about(ctx, persons, `SELECT `+digestColumns+` FROM digest WHERE person IN `, func(rows *sql.Rows) error {
		d, err := readDigest(rows)
		got[d.Person] = d
		return err
	})
	return got, err
}

// about reads the rows of a query about persons, which ends before the list of them.
func (s *Store) about(ctx context.Context, persons []string, query string, read func(*sql.Rows) error) error {
	return s.db().Read(ctx, func(db tables.Asker) error {
		for part := range slices.Chunk(persons, mostAsked) {
			args := make([]any, len(part))
			for i, one := range part {
				args[i] = one
			}
			none := func(rows *sql.Rows) (struct{}, error) { return struct{}{}, read(rows) }
			if _, err := tables.Rows(ctx, db, none, query+`(?`+strings.Repeat(`, ?`, len(part)-1)+`)`, args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// Heard returns the main addresses of persons that have settings, digests or delegates. They are in order, after one,
// and at most so many.
func (s *Store) Heard(ctx context.Context, after string, limit int) (list []string, err error) {
	const of = `SELECT * FROM (SELECT %[1]s FROM %[2]s WHERE %[1]s > ?1 ORDER BY %[1]s LIMIT ?2) AS part`
	part := func(column, table string) string {
		return strings.NewReplacer("%[1]s", column, "%[2]s", table).Replace(of)
	}
	read := func(rows *sql.Rows) (one string, err error) { return one, rows.Scan(&one) }
	err = s.db().Read(ctx, func(db tables.Asker) (err error) {
		list, err = tables.Rows(ctx, db, read, part("address", "setting")+` UNION `+part("person", "digest")+` UNION `+
			part("owner", "delegate")+` ORDER BY 1 LIMIT ?2`, after, limit)
		return err
	})
	return list, err
}
