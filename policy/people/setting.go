package people

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/milterscan/milterscan/policy/keep/tables"
)

// settingSchema is for what people settle: one row for each person who has settled anything.
const settingSchema = `
CREATE TABLE IF NOT EXISTS setting (
	address TEXT PRIMARY KEY, language TEXT NOT NULL, digest TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
`

// Settings are what a person has settled. Each zero value is as the host has it.
type Settings struct {
	Language string // such as "de"
	Digest   string // how often digests come: "off", "daily", "hourly"
	At       int    // of daily ones: minutes after midnight
}

// Intervals returns how often digests may come.
func Intervals() []string { return []string{"off", "daily", "hourly"} }

// Check returns an error for settings that cannot be kept.
func (s Settings) Check() error {
	if s.Digest != "" && !slices.Contains(Intervals(), s.Digest) {
		return fmt.Errorf("%q is no interval of digests", s.Digest)
	}
	if s.At < 0 || s.At >= 24*60 || s.At != 0 && s.Digest != "daily" {
		return errors.New("a time of day is for daily digests, and before midnight")
	}
	return nil
}

// Settings returns those of a person, by its main address.
func (s *Store) Settings(ctx context.Context, address string) (got Settings, err error) {
	err = s.db().Read(ctx, func(db tables.Asker) error {
		return db.QueryRowContext(ctx, `SELECT language, digest, at FROM setting WHERE address = ?`, address).
			Scan(&got.Language, &got.Digest, &got.At)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return Settings{}, nil
	}
	return got, err
}

// SetSettings has change alter the settings of a person.
func (s *Store) SetSettings(ctx context.Context, address string, change func(*Settings)) error {
	return s.db().Change(ctx, func(tx tables.Asker) error {
		var now Settings
		err := tx.QueryRowContext(ctx, `SELECT language, digest, at FROM setting WHERE address = ?`, address).
			Scan(&now.Language, &now.Digest, &now.At)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		change(&now)
		if err := now.Check(); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO setting (address, language, digest, at) VALUES (?1, ?2, ?3, ?4)
			ON CONFLICT (address) DO UPDATE SET language = ?2, digest = ?3, at = ?4`, address, now.Language, now.Digest, now.At)
		return err
	})
}

// Schedules returns the intervals, with times of day, that any person has settled on.
func (s *Store) Schedules(ctx context.Context) (list []Settings, err error) {
	read := func(rows *sql.Rows) (one Settings, err error) { return one, rows.Scan(&one.Digest, &one.At) }
	err = s.db().Read(ctx, func(db tables.Asker) (err error) {
		list, err = tables.Rows(ctx, db, read,
			`SELECT DISTINCT digest, at FROM setting WHERE digest <> '' ORDER BY digest, at`)
		return err
	})
	return list, err
}
