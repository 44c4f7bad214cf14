package console

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/store"
)

// Reload is one time that the configuration was read to be put in force.
type Reload struct {
	Time       time.Time
	Generation uint64
	Error      string   // why it was not put in force
	Changes    []Change // how it differs from the one before
}

// Change is a line of a difference.
type Change struct {
	Sign string // "+" or "-"
	Text string
}

// Reloads keeps what was put in force in the file of the console.
type Reloads struct{ db *store.Database }

const reloadsSchema = `
CREATE TABLE IF NOT EXISTS reload (
	id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, generation INTEGER NOT NULL, error TEXT NOT NULL, changes TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS effective (one INTEGER PRIMARY KEY CHECK (one = 1), text TEXT NOT NULL);
`

// NewReloads returns the stored data of reloads in a file.
func NewReloads(file string) *Reloads { return &Reloads{store.NewDatabase(file, reloadsSchema)} }

// Close closes the file.
func (x *Reloads) Close() error { return x.db.Close() }

// Bounds of the data that is kept.
const (
	mostReloads = 200
	mostChanges = 64 << 10 // bytes
)

// Note writes down that a configuration was put in force, and how it differs from
// the one before, or why it was not. A start is a reload, too, and is noted if something
// is otherwise than it was.
func (x *Reloads) Note(ctx context.Context, generation uint64, c *config.Config, refused error) error {
	return x.db.Change(ctx, func(tx *sql.Tx) error {
		changes, failure := "", ""
		if refused != nil {
			failure = clip(refused.Error(), mostChanges)
		} else {
			var before string
			err := tx.QueryRowContext(ctx, `SELECT text FROM effective`).Scan(&before)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
			first, now := err != nil, effective(c)
			if changes = difference(before, now); first {
				changes = ""
			}
			if !first && changes == "" && generation == 1 {
				return nil
			}
			if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO effective (one, text) VALUES (1, ?)`, now); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO reload (time, generation, error, changes) VALUES (?, ?, ?, ?)`, time.Now().UnixMilli(),
			int64(generation), failure, clip(changes, mostChanges))
		if err == nil {
			_, err = tx.ExecContext(ctx, `DELETE FROM reload WHERE id <= (SELECT max(id) FROM reload) - ?`, mostReloads)
		}
		return err
	})
}

// List returns what was noted, newest first.
func (x *Reloads) List(ctx context.Context) (list []Reload, err error) {
	err = x.db.Read(ctx, func(db *sql.DB) (err error) {
		list, err = store.Rows(ctx, db, readReload, `SELECT time, generation, error, changes FROM reload ORDER BY id DESC LIMIT ?`, mostReloads)
		return err
	})
	return list, err
}

func readReload(rows *sql.Rows) (r Reload, err error) {
	var at, generation int64
	var changes string
	err = rows.Scan(&at, &generation, &r.Error, &changes)
	r.Time, r.Generation, r.Changes = time.UnixMilli(at), uint64(generation), parseChanges(changes)
	return r, err
}

// effective writes a configuration for comparing: without the lines of files, which change
// where nothing else does.
func effective(c *config.Config) string {
	e := c.Effective()
	var lines []string
	for _, s := range e.Settings {
		lines = append(lines, oneLine(s.Key+" = "+s.Value))
	}
	for _, r := range e.Rules {
		lines = append(lines, oneLine("rule "+r.Ref.Name+": "+r.String()))
	}
	return strings.Join(lines, "\n")
}

// Same reports whether two configurations mean the same.
func Same(a, b *config.Config) bool { return effective(a) == effective(b) }

func oneLine(s string) string { return strings.ReplaceAll(s, "\n", " ") }

// mostCells bounds the work of a comparison.
const mostCells = 16 << 20

// difference returns the lines that are otherwise in two texts, those that are gone with
// a "-" before them and those that are new with a "+".
func difference(before, now string) string {
	a, b := strings.Split(before, "\n"), strings.Split(now, "\n")
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	var out []string
	if len(a)*len(b) > mostCells { // all that is between is told as changed
		for _, line := range a {
			out = append(out, "-"+line)
		}
		for _, line := range b {
			out = append(out, "+"+line)
		}
		return strings.Join(out, "\n")
	}
	common := longestCommon(a, b)
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			i, j = i+1, j+1
		case i < len(a) && (j == len(b) || common[i+1][j] >= common[i][j+1]):
			out = append(out, "-"+a[i])
			i++
		default:
			out = append(out, "+"+b[j])
			j++
		}
	}
	return strings.Join(out, "\n")
}

// longestCommon returns the lengths of the longest common subsequences of the rests of
// two lists.
func longestCommon(a, b []string) [][]int32 {
	table := make([][]int32, len(a)+1)
	for i := range table {
		table[i] = make([]int32, len(b)+1)
	}
	for i := range slices.Backward(a) {
		for j := range slices.Backward(b) {
			if a[i] == b[j] {
				table[i][j] = table[i+1][j+1] + 1
			} else {
				table[i][j] = max(table[i+1][j], table[i][j+1])
			}
		}
	}
	return table
}

func parseChanges(s string) (list []Change) {
	for line := range strings.SplitSeq(s, "\n") {
		if len(line) > 1 {
			list = append(list, Change{line[:1], line[1:]})
		}
	}
	return list
}
