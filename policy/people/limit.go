package people

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/milterscan/milterscan/policy/keep/tables"
	"github.com/milterscan/milterscan/scan/units"
)

// limitSchema is for the limits of the score that people set: one row for each person who has ever set
// one. Its changes are numbered together with those of lists; a score of NULL is that of one who has none
// any more.
const limitSchema = `
CREATE TABLE IF NOT EXISTS score_limit (address TEXT PRIMARY KEY, score REAL, change INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS score_limit_change ON score_limit (change);
`

// Bounds are those within which recipients set a limit of the score for themselves.
type Bounds struct {
	// The least score that a recipient may set as its own limit, by which rules with
	// "score >= own 6" go.
	Least float64 `toml:"least"`
	// The highest; 0: recipients set no limit, and the number in the rule counts for all.
	Most float64 `toml:"most"`
}

// Check returns the errors in the bounds.
func (b Bounds) Check() error {
	var check units.Check
	check.If(!finite(b.Least) || b.Least < 0, "least", "%v is no limit; write a score such as 4", b.Least)
	check.If(!finite(b.Most) || b.Most < 0, "most", "%v is no limit; write a score such as 12, or 0 if recipients are to set none", b.Most)
	check.If(b.Most != 0 && b.Most < b.Least, "most", "no score is at least %v and at most %v; write more", b.Least, b.Most)
	check.If(b.Most == 0 && b.Least > 0, "most", "least means nothing without it; write a score such as 12")
	check.If(b.Most > 0 && b.Least == 0, "least", "with 0 a recipient could have all mail refused; write a score such as 4")
	return check.Err()
}

func finite(f float64) bool { return f-f == 0 }

// On reports whether recipients may set limits.
func (b Bounds) On() bool { return b.Most > 0 }

// Holds reports whether a limit is within the bounds.
func (b Bounds) Holds(score float64) bool { return b.On() && score >= b.Least && score <= b.Most }

// Within returns the nearest limit within the bounds: the host may have drawn them closer since it was set.
func (b Bounds) Within(score float64) float64 { return min(max(score, b.Least), b.Most) }

// Limit is what a person has set: the score from which on mail counts as unwanted. Without one
// there is none of that person.
type Limit struct {
	Address string // the main address
	Score   float64
	Set     bool
}

// rounded returns a score as limits are kept, to the hundredth.
func rounded(score float64) float64 { return math.Round(score*100) / 100 }

// Read reads a limit as persons write it; "" is none. not ok: the bounds do not let a person have that.
func (b Bounds) Read(address, text string) (l Limit, ok bool) {
	l.Address = address
	text = strings.ReplaceAll(strings.TrimSpace(text), ",", ".")
	if text == "" {
		return l, true
	}
	score, err := strconv.ParseFloat(text, 64)
	l.Score, l.Set = rounded(score), true
	return l, err == nil && b.Holds(l.Score)
}

// String returns the limit as Read reads it.
func (l Limit) String() string {
	if !l.Set {
		return ""
	}
	return strconv.FormatFloat(l.Score, 'f', -1, 64)
}

// SetLimit sets the limit of a person, by its main address, or takes it back. The error is an Error
// if the bounds do not let the person set it.
func (s *Store) SetLimit(ctx context.Context, within Bounds, l Limit) error {
	l.Score = rounded(l.Score)
	switch {
	case l.Set && !within.On():
		return refused("this host does not let you set a limit of the score")
	case l.Set && !within.Holds(l.Score):
		return refused("the limit has to be between %v and %v", within.Least, within.Most)
	}
	return s.change(ctx, func(tx tables.Asker, n int64) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO score_limit (address, score, change) VALUES (?1, ?2, ?3)
			ON CONFLICT (address) DO UPDATE SET score = ?2, change = ?3`, l.Address, sql.NullFloat64{Float64: l.Score, Valid: l.Set}, n)
		return err
	})
}

// LimitOf returns the limit of a person, by its main address.
func (s *Store) LimitOf(ctx context.Context, address string) (l Limit, err error) {
	err = s.db().Read(ctx, func(db tables.Asker) error {
		var score sql.NullFloat64
		err := db.QueryRowContext(ctx, `SELECT score FROM score_limit WHERE address = ?`, address).Scan(&score)
		l = Limit{Address: address, Score: score.Float64, Set: score.Valid}
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return Limit{Address: address}, nil
	}
	return l, err
}

// scanLimit reads an address and a score.
func scanLimit(rows *sql.Rows) (Limit, error) {
	var l Limit
	var score sql.NullFloat64
	err := rows.Scan(&l.Address, &score)
	l.Score, l.Set = score.Float64, score.Valid
	return l, err
}
