package people

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/milterscan/milterscan/policy/keep/tables"
	"github.com/milterscan/milterscan/scan/units"
)

// listSchema makes the tables of lists. Each change has a number, so that readers of
// everything take over what has changed since they read: entries with a higher one, and
// those in gone, which are no more. A reader that knows no number from floor on, or another
// lineage, which is another file, reads everything again. Times are in seconds since 1970.
const listSchema = `
CREATE TABLE IF NOT EXISTS entry (
	id INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, domain TEXT NOT NULL, pattern TEXT NOT NULL,
	authenticated INTEGER NOT NULL, act TEXT NOT NULL, expires INTEGER NOT NULL, note TEXT NOT NULL,
	maker TEXT NOT NULL, made INTEGER NOT NULL, change INTEGER NOT NULL,
	UNIQUE (owner, pattern, authenticated));
CREATE INDEX IF NOT EXISTS entry_domain ON entry (domain, id);
CREATE INDEX IF NOT EXISTS entry_change ON entry (change);
CREATE INDEX IF NOT EXISTS entry_expires ON entry (expires) WHERE expires > 0;
CREATE TABLE IF NOT EXISTS gone (
	change INTEGER NOT NULL, owner TEXT NOT NULL, pattern TEXT NOT NULL, authenticated INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS gone_change ON gone (change);
CREATE TABLE IF NOT EXISTS changed (
	one INTEGER PRIMARY KEY CHECK (one = 1), lineage TEXT NOT NULL, change INTEGER NOT NULL, floor INTEGER NOT NULL);
`

// Act says what to do with mail of a sender.
type Act string

// The acts.
const (
	Allow Act = "allow" // lets it through, whatever its content and its score
	Block Act = "block" // refuses it
)

// UnmarshalText reads an act.
func (a *Act) UnmarshalText(text []byte) error { return units.ReadWord(a, text, Allow, Block) }

// Entry is one line of a list.
type Entry struct {
	ID            int64     `json:"id,omitempty"`
	Owner         string    `json:"owner"` // for whose mail it counts: see FoldOwner
	Act           Act       `json:"act"`
	Pattern       string    `json:"pattern"`          // see FoldPattern
	Authenticated bool      `json:"authenticated"`    // it counts only with a DMARC or DKIM pass of the domain in the From field
	Expires       time.Time `json:"expires,omitzero"` // zero: never
	Note          string    `json:"note,omitempty"`
	Maker         string    `json:"maker,omitempty"` // who made it
	Made          time.Time `json:"made,omitzero"`
}

// Weak reports whether anybody can have the entry let mail through, by writing the sender's
// address: that the sender's domain asks to refuse forged mail does not count either.
func (e Entry) Weak() bool {
	return e.Act == Allow && !e.Authenticated && KindOf(e.Pattern) != Network
}

// Expired reports whether the entry does not count any more.
func (e Entry) Expired(now time.Time) bool { return !e.Expires.IsZero() && !now.Before(e.Expires) }

// longestNote is how much a note may hold, in bytes.
const longestNote = 500

// Folded returns the entry with its owner and its pattern as they are kept. The error, an Error,
// names its mistake, for every maker.
func (e Entry) Folded(now time.Time) (Entry, error) {
	var err error
	if e.Owner, err = FoldOwner(e.Owner); err != nil {
		return e, &Error{err.Error()}
	}
	if e.Pattern, err = FoldPattern(e.Pattern); err != nil {
		return e, &Error{err.Error()}
	}
	e.Note = strings.TrimSpace(e.Note)
	e.Expires = e.Expires.Truncate(time.Second)
	switch network := KindOf(e.Pattern) == Network; {
	case e.Act != Allow && e.Act != Block:
		return e, refused("%q is nothing a list does; write \"allow\" or \"block\"", e.Act)
	case network && e.Authenticated:
		return e, refused("%s is a network, which no DMARC or DKIM pass is for; leave that out", e.Pattern)
	case e.Act == Allow && e.Pattern[0] == '.' && !strings.Contains(e.Pattern[1:], "."):
		return e, refused("%s is all of a top-level domain; allow the domain that is meant, such as \"@example%[1]s\"", e.Pattern)
	case e.Weak() && e.ofOwner():
		return e, refused("%s is the owner's own: those who forge senders write it first; allow it with a DMARC or DKIM pass only", e.Pattern)
	case e.Expired(now):
		return e, refused("the entry would have expired already, at %s", e.Expires.Format(time.RFC3339))
	case len(e.Note) > longestNote || !utf8.ValidString(e.Note) || strings.ContainsFunc(e.Note, unfitForNote):
		return e, refused("the note must be one line of at most %d bytes", longestNote)
	}
	return e, nil
}

// ofOwner reports whether the entry is about senders that are the owner's own.
func (e Entry) ofOwner() bool { return e.Pattern == e.Owner || e.Pattern == "@"+domainOf(e.Owner) }

func unfitForNote(r rune) bool { return !unicode.IsPrint(r) }

// domainOf returns the domain by which the administrators of domains find an owner.
func domainOf(owner string) string {
	if owner == Host {
		return ""
	}
	return owner[strings.LastIndexByte(owner, '@')+1:]
}

// Add makes an entry, or changes the one there is of that owner, pattern and
// authentication. It returns the entry as it is kept. The error is an Error if the maker
// may not make it.
func (s *Store) Add(ctx context.Context, by Maker, e Entry) (Entry, error) {
	now := time.Now().Truncate(time.Second)
	e, err := by.Entry(e, now)
	if err != nil {
		return Entry{}, err
	}
	err = s.change(ctx, func(tx tables.Asker, n int64) error {
		if err := by.room(ctx, tx, e); err != nil {
			return err
		}
		return put(ctx, tx, n, &e)
	})
	return e, plainly(err)
}

// plainly returns the Error in err, if there is one: the person need not know of files.
func plainly(err error) error {
	var told *Error
	if errors.As(err, &told) {
		return told
	}
	return err
}

// Entry returns an entry as it is kept if the maker makes it. The error is an Error if the maker
// may not.
func (m Maker) Entry(e Entry, now time.Time) (Entry, error) {
	e, err := e.Folded(now)
	if err == nil {
		err = m.Check(e, now)
	}
	e.Maker, e.Made = m.Name, now
	return e, err
}

// putting returns a query that writes n entries.
func putting(n int) string {
	return `INSERT INTO entry (owner, domain, pattern, authenticated, act, expires, note, maker, made, change) VALUES ` +
		strings.Repeat(`(?, ?, ?, ?, ?, ?, ?, ?, ?, ?), `, n-1) + `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT (owner, pattern, authenticated) DO UPDATE SET act = excluded.act, expires = excluded.expires, note = excluded.note,
		maker = excluded.maker, made = excluded.made, change = excluded.change`
}

// values returns what putting wants.
func (e Entry) values(change int64) []any {
	return []any{e.Owner, domainOf(e.Owner), e.Pattern, e.Authenticated, e.Act, seconds(e.Expires), e.Note, e.Maker, seconds(e.Made), change}
}

// put writes an entry, and fills in its number.
func put(ctx context.Context, tx tables.Asker, change int64, e *Entry) error {
	return tx.QueryRowContext(ctx, putting(1)+` RETURNING id`, e.values(change)...).Scan(&e.ID)
}

// room says whether the owner may have one entry more.
func (m Maker) room(ctx context.Context, tx tables.Asker, e Entry) error {
	most, bound := m.most(e.Owner)
	if !bound {
		return nil
	}
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM entry WHERE owner = ? AND NOT (pattern = ? AND authenticated = ?)`,
		e.Owner, e.Pattern, e.Authenticated).Scan(&n)
	if err == nil && n >= most {
		return refused("the list of %s has %d entries, and this host lets it have no more than %d: remove some", e.Owner, n, most)
	}
	return err
}

func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func timeOf(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// Channel is where hosts that share lists hear of changes.
const Channel = "milterscan_lists"

// change has do make one change to the lists, whose number it gets.
func (s *Store) change(ctx context.Context, do func(tx tables.Asker, n int64) error) error {
	return s.db().Change(ctx, func(tx tables.Asker) error {
		var n int64
		err := tx.QueryRowContext(ctx, `INSERT INTO changed (one, lineage, change, floor) VALUES (1, ?, 1, 0)
			ON CONFLICT (one) DO UPDATE SET change = changed.change + 1 RETURNING change`, lineage()).Scan(&n)
		if err != nil {
			return err
		}
		if err := do(tx, n); err != nil {
			return err
		}
		return s.db().Tell(ctx, tx, Channel)
	})
}

// Remove removes the entry of an owner by its number. The error is ErrUnknown if the owner has
// none of that number.
func (s *Store) Remove(ctx context.Context, owner string, id int64) (e Entry, err error) {
	err = s.change(ctx, func(tx tables.Asker, n int64) error {
		e, err = scanEntry(tx.QueryRowContext(ctx, `DELETE FROM entry WHERE id = ? AND owner = ? RETURNING `+entryColumns, id, owner))
		if errors.Is(err, sql.ErrNoRows) {
			return ErrUnknown
		}
		if err != nil {
			return err
		}
		return bury(ctx, tx, n, e)
	})
	return e, err
}

// bury notes that an entry is no more.
func bury(ctx context.Context, tx tables.Asker, change int64, e Entry) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO gone (change, owner, pattern, authenticated) VALUES (?, ?, ?, ?)`,
		change, e.Owner, e.Pattern, e.Authenticated)
	return err
}

const entryColumns = `id, owner, act, pattern, authenticated, expires, note, maker, made`

// scanEntry reads entryColumns.
func scanEntry(row interface{ Scan(...any) error }) (e Entry, err error) {
	var expires, made int64
	err = row.Scan(&e.ID, &e.Owner, &e.Act, &e.Pattern, &e.Authenticated, &expires, &e.Note, &e.Maker, &made)
	e.Expires, e.Made = timeOf(expires), timeOf(made)
	return e, err
}

// Find returns the entry of an owner for a pattern, with or without a wish for authentication. The
// error is ErrUnknown if there is none.
func (s *Store) Find(ctx context.Context, owner, pattern string, authenticated bool) (e Entry, err error) {
	err = s.db().Read(ctx, func(db tables.Asker) error {
		e, err = scanEntry(db.QueryRowContext(ctx, `SELECT `+entryColumns+` FROM entry WHERE owner = ? AND pattern = ? AND authenticated = ?`,
			owner, pattern, authenticated))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return Entry{}, ErrUnknown
	}
	return e, err
}

// Count returns how many entries there are, and when the last of them was made.
func (s *Store) Count(ctx context.Context) (n int, last time.Time, err error) {
	err = s.db().Read(ctx, func(db tables.Asker) error {
		var made int64
		err := db.QueryRowContext(ctx, `SELECT count(*),
			coalesce((SELECT made FROM entry ORDER BY id DESC LIMIT 1), 0) FROM entry`).Scan(&n, &made)
		last = timeOf(made)
		return err
	})
	return n, last, err
}

// Filter says which entries are wanted: those that meet all of it.
type Filter struct {
	Owners  []string // those of these owners, as FoldOwner writes them; nil for all
	Domains []string // those of these domains and of recipients in them; ".example.com" for subdomains; nil for all
	Act     Act      // "" for both
	Like    string   // a part of the pattern; "" for all
	Before  int64    // with a lower number; 0 for all
	Limit   int      // 0 for all
}

// Entries returns entries, the last made first.
func (s *Store) Entries(ctx context.Context, f Filter) (list []Entry, err error) {
	where, args := f.where()
	read := func(rows *sql.Rows) (Entry, error) { return scanEntry(rows) }
	err = s.db().Read(ctx, func(db tables.Asker) (err error) {
		list, err = tables.Rows(ctx, db, read,
			`SELECT `+entryColumns+` FROM entry WHERE `+where+` ORDER BY id DESC`+f.limit(), args...)
		return err
	})
	return list, err
}

func (f Filter) limit() string {
	if f.Limit <= 0 {
		return ""
	}
	return fmt.Sprintf(" LIMIT %d", f.Limit)
}

// where returns the condition of a query with its arguments.
func (f Filter) where() (string, []any) {
	var all []string
	var args []any
	also := func(condition string, with ...any) {
		all = append(all, condition)
		args = append(args, with...)
	}
	if f.Owners != nil {
		also(anyOf("owner = ?", len(f.Owners)), texts(f.Owners)...)
	}
	if f.Domains != nil {
		condition, with := within(f.Domains)
		also(condition, with...)
	}
	if f.Act != "" {
		also("act = ?", f.Act)
	}
	if f.Like != "" {
		also("instr(pattern, ?) > 0", strings.ToLower(f.Like))
	}
	if f.Before > 0 {
		also("id < ?", f.Before)
	}
	return strings.Join(append(all, "1=1"), " AND "), args
}

// anyOf returns a condition that one of n holds; of none no row does.
func anyOf(one string, n int) string {
	return "(0=1" + strings.Repeat(" OR "+one, n) + ")"
}

// below is the condition that a domain ends in something, see ending.
const below = `domain LIKE ? ESCAPE '!'`

// ending returns what below wants for a domain with a dot in front: every sign of it means itself.
func ending(domain string) string {
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(domain)
}

// within returns the condition that an owner is in one of some domains.
func within(domains []string) (string, []any) {
	condition := "(0=1"
	var args []any
	for _, d := range domains {
		if d != "" && d[0] == '.' {
			condition += " OR " + below
			args = append(args, ending(d))
		} else if d != "" {
			condition += " OR domain = ?"
			args = append(args, d)
		}
	}
	return condition + ")", args
}

func texts(list []string) []any {
	var all []any
	for _, s := range list {
		all = append(all, s)
	}
	return all
}

// lineage returns a word that no other file has.
func lineage() string {
	b := make([]byte, 12)
	rand.Read(b)
	return hex.EncodeToString(b)
}
