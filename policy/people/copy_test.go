package people

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/keep/tables"
)

// settled fills a store with something of everything.
func settled(t *testing.T, s *Store) {
	t.Helper()
	now := time.Now()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for n := range 2*copiedTogether + 1 {
		must(s.change(t.Context(), func(tx tables.Asker, change int64) error {
			return put(t.Context(), tx, change, &Entry{Owner: "ann@example.com", Pattern: fmt.Sprintf("s%d@elsewhere.example", n), Act: Block, Maker: "ann", Made: now})
		}))
	}
	must(s.SetLimit(t.Context(), Bounds{Least: 1, Most: 9}, Limit{"ann@example.com", 4.5, true}))
	must(s.SetLimit(t.Context(), Bounds{Least: 1, Most: 9}, Limit{Address: "ben@example.com"}))
	must(s.SetSettings(t.Context(), "ann@example.com", func(x *Settings) { x.Language = "de" }))
	must(s.Appoint(t.Context(), "ann@example.com", "ben@example.com", "ann", now))
	_, err := s.UseOnce(t.Context(), "nonce", now.Add(time.Hour))
	must(err)
	must(s.EndDigestRound(t.Context(), now))
	_, err = s.ClaimDigest(t.Context(), "ann", "ann@example.com", now, now, now)
	must(err)
}

// TestCopyTo copies what people have settled to where some of it is settled otherwise: that stays, and a second copy
// adds nothing.
func TestCopyTo(t *testing.T) {
	from, to := open(t), open(t)
	settled(t, from)
	if err := to.SetSettings(t.Context(), "ann@example.com", func(x *Settings) { x.Language = "fr" }); err != nil {
		t.Fatal(err)
	}
	before, err := to.Mark(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for round, want := range []string{
		"[{entries of lists 1001 1001} {limits of the score 2 2} {settings 1 0} {delegates 1 1} {used links 1 1} {requests 0 0} {digests 1 1}]",
		"[{entries of lists 1001 0} {limits of the score 2 0} {settings 1 0} {delegates 1 0} {used links 1 0} {requests 0 0} {digests 1 0}]",
	} {
		steps := 0
		list, err := from.CopyTo(t.Context(), to, func(n int) { steps += n })
		if got := fmt.Sprint(list); got != want || err != nil || steps != 1007 {
			t.Errorf("round %d: %s, %d steps, %v; want %s", round, got, steps, err, want)
		}
	}
	if x, err := to.Settings(t.Context(), "ann@example.com"); x.Language != "fr" || err != nil {
		t.Errorf("settings %+v, %v", x, err)
	}
	if l, err := to.LimitOf(t.Context(), "ann@example.com"); l.Score != 4.5 || err != nil {
		t.Errorf("limit %+v, %v", l, err)
	}
	if first, err := to.UseOnce(t.Context(), "nonce", time.Now().Add(time.Hour)); first || err != nil {
		t.Errorf("a link works twice: %v", err)
	}
	if after, err := to.Mark(t.Context()); after == before || err != nil {
		t.Errorf("who follows the lists hears of nothing: %+v, %v", after, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := from.CopyTo(ctx, to, func(int) {}); err == nil {
		t.Error("a copy that is given up says nothing")
	}
}

// TestRemovedStays: an entry that was removed where it was copied to does not come back with a second copy; one that is new does come.
func TestRemovedStays(t *testing.T) {
	from, to := open(t), open(t)
	add := func(sender string) {
		t.Helper()
		err := from.change(t.Context(), func(tx tables.Asker, change int64) error {
			return put(t.Context(), tx, change, &Entry{Owner: "ann@example.com", Pattern: sender, Act: Block, Maker: "ann", Made: time.Now()})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	add("a@elsewhere.example")
	add("b@elsewhere.example")
	copied := func() string {
		t.Helper()
		list, err := from.CopyTo(t.Context(), to, func(int) {})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(list[0])
	}
	if got := copied(); got != "{entries of lists 2 2}" {
		t.Fatal(got)
	}
	if n, err := to.RemoveAll(t.Context(), Filter{Like: "a@elsewhere.example"}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	add("c@elsewhere.example")
	if got := copied(); got != "{entries of lists 3 1}" {
		t.Errorf("once more: %s", got)
	}
}

// TestDismissedStays: who was dismissed where a copy goes does not come back with the next one, and may be appointed there again.
func TestDismissedStays(t *testing.T) {
	from, to, now := open(t), open(t), time.Now()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	want := func(when string, delegates ...string) {
		t.Helper()
		_, err := from.CopyTo(t.Context(), to, func(int) {})
		must(err)
		got, err := to.Delegates(t.Context(), []string{"ann@example.com"})
		if must(err); !slices.Equal(got["ann@example.com"], delegates) {
			t.Errorf("%s: %v, want %v", when, got, delegates)
		}
	}
	for _, one := range []string{"bob@example.com", "eve@example.com"} {
		must(from.Appoint(t.Context(), "ann@example.com", one, "ann", now))
	}
	want("at first", "bob@example.com", "eve@example.com")
	must(to.Dismiss(t.Context(), "ann@example.com", "eve@example.com"))
	must(from.Appoint(t.Context(), "ann@example.com", "joe@example.com", "ann", now))
	want("one dismissed, one new", "bob@example.com", "joe@example.com")
	must(to.Appoint(t.Context(), "ann@example.com", "eve@example.com", "ann", now))
	must(to.Dismiss(t.Context(), "ann@example.com", "bob@example.com"))
	want("appointed again", "eve@example.com", "joe@example.com")
	must(to.Dismiss(t.Context(), "ann@example.com", "eve@example.com"))
	want("dismissed again", "joe@example.com")
}

// TestPartsAreWhole: every column of every table is copied, but numbers and what belongs to one place.
func TestPartsAreWhole(t *testing.T) {
	s := open(t)
	own := map[string]bool{"id": true, "change": true}
	ownTables := map[string]bool{"gone": true, "dismissed": true, "changed": true, "rounds": true, "sqlite_sequence": true}
	copied := map[string]string{}
	for _, p := range parts {
		copied[p.table] = p.columns
	}
	err := s.db().Read(t.Context(), func(db tables.Asker) error {
		rows, err := db.QueryContext(t.Context(), `SELECT m.name, c.name FROM sqlite_schema AS m, pragma_table_info(m.name) AS c WHERE m.type = 'table' ORDER BY 1, c.cid`)
		if err != nil {
			return err
		}
		defer rows.Close()
		all := map[string]string{}
		for rows.Next() {
			var table, column string
			if err := rows.Scan(&table, &column); err != nil {
				return err
			}
			if ownTables[table] || own[column] {
				continue
			}
			if all[table] != "" {
				all[table] += ", "
			}
			all[table] += column
		}
		if fmt.Sprint(all) != fmt.Sprint(copied) {
			t.Errorf("copied are\n%v\nand there are\n%v", copied, all)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
}
