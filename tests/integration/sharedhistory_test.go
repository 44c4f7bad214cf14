package integration

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/find"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/policy/keep/history/historytest"
	chronicle "github.com/milterscan/milterscan/policy/keep/history/shared"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// emptyHistory empties a shared history. Its days stay.
const emptyHistory = "TRUNCATE history, history_block, history_part, history_count; UPDATE history_extent SET high = 1, next = 1, oldest = -1e18::bigint"

// TestSharedHistory: what every history promises, two hosts with one database promise.
func TestSharedHistory(t *testing.T) {
	needServers(t)
	pg := servers.StartPostgres(t, "")
	here, there := prepared(t, pg), prepared(t, pg)
	historytest.Run(t, func(t *testing.T, z find.Sizes) (history.Store, history.Store) {
		pg.SQL(t, emptyHistory)
		a, b := chronicle.New(here, "mx1"), chronicle.New(there, "mx2")
		a.Sizes, b.Sizes = z, z
		return a, b
	})
}

// TestSharedHistoryHosts: a record says which host wrote it; one that is written again, as after an answer that was
// lost, is counted once; and so is what two hosts write at once.
func TestSharedHistoryHosts(t *testing.T) {
	needServers(t)
	pg := servers.StartPostgres(t, "")
	mx1, mx2 := chronicle.New(prepared(t, pg), "mx1"), chronicle.New(prepared(t, pg), "mx2")
	var wg sync.WaitGroup
	var all []policy.Record
	for n := range 40 {
		all = append(all, historytest.Record(n))
	}
	for _, s := range []*chronicle.Store{mx1, mx2} {
		wg.Go(func() {
			if err := s.Append(t.Context(), all); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	list, err := history.List(t.Context(), mx1.Find, history.Filter{})
	if err != nil || len(list) != 40 {
		t.Fatalf("%d records, %v", len(list), err)
	}
	for _, r := range list {
		if r.Host != list[0].Host || r.Host != "mx1" && r.Host != "mx2" {
			t.Errorf("%s is of host %q", r.ID, r.Host)
		}
	}
	if got := pg.SQL(t, "SELECT sum(n) FROM history_count WHERE what = 'action'"); got != "40" {
		t.Errorf("%s messages are counted", got)
	}
	theirs := historytest.Record(50)
	theirs.Host = "mx7"
	if err := mx1.Append(t.Context(), []policy.Record{theirs}); err != nil {
		t.Fatal(err)
	}
	if got, err := mx2.Lookup(t.Context(), "Q50"); err != nil || len(got) != 1 || got[0].Host != "mx7" {
		t.Errorf("%+v, %v", got, err)
	}
	records, bytes, err := mx2.Size(t.Context())
	if err != nil || records != 41 || bytes < 8192 {
		t.Errorf("%d records, %d bytes, %v", records, bytes, err)
	}
}

// TestSharedHistoryDamagedBlock has the records of a block read that cannot be.
func TestSharedHistoryDamagedBlock(t *testing.T) {
	needServers(t)
	pg := servers.StartPostgres(t, "")
	s := chronicle.New(prepared(t, pg), "mx1")
	s.Sizes = find.Sizes{Small: 16, Large: 128}
	w := &historytest.World{Store: s}
	r := rand.New(rand.NewPCG(3, 4))
	for n := range 64 {
		w.Write(t, historytest.Mixed(r, n))
	}
	w.Steps(t, 100)
	for _, damage := range []string{
		"UPDATE history_part SET data = substr(data, 1, length(data) / 2) WHERE part % 3 = 0",
		`UPDATE history_part SET data = '\xffffffff00' WHERE part % 3 = 1`, "DELETE FROM history_part WHERE part % 3 = 2",
	} {
		pg.SQL(t, damage)
		w.Compare(t, r, 60)
	}
}

// TestSharedHistoryDays: expiring drops the tables of days, also while others read them, and a host whose clock is
// far ahead deletes nothing.
func TestSharedHistoryDays(t *testing.T) {
	needServers(t)
	pg := servers.StartPostgres(t, "")
	s := chronicle.New(prepared(t, pg), "mx1")
	now := time.Now()
	var all []policy.Record
	for n := range 20 {
		r := historytest.Record(n)
		r.Time = now.Add(-time.Duration(n) * 12 * time.Hour)
		all = append(all, r)
	}
	if err := s.Append(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	days := func() string {
		return pg.SQL(t, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'history'::regclass")
	}
	was := days()
	if was != "10" && was != "11" {
		t.Fatalf("%s days", was)
	}
	reader := pg.Session(t, "BEGIN; SELECT count(*) FROM history;")
	before := now.Add(-5 * 24 * time.Hour)
	if n, err := s.Expire(t.Context(), before); err != nil || n != 0 || days() != was {
		t.Errorf("while it is read: %d records went, %v, %s days", n, err, days())
	}
	if got, err := history.List(t.Context(), s.Find, history.Filter{}); err != nil || len(got) != 10 && len(got) != 11 {
		t.Errorf("while it is read: %d are found, %v", len(got), err)
	}
	reader()
	if n, err := s.Expire(t.Context(), before); err != nil || n < 7 || n > 10 {
		t.Errorf("%d went, %v", n, err)
	}
	if got := days(); got != "5" && got != "6" {
		t.Errorf("%s days are left", got)
	}
	if got := pg.SQL(t, fmt.Sprintf("SELECT count(*) FROM history_count WHERE hour < %d", before.Add(-24*time.Hour).Unix()/3600)); got != "0" {
		t.Errorf("%s counts are left of days that went", got)
	}
	if err := s.Append(t.Context(), all[19:]); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Lookup(t.Context(), all[19].ID); err != nil || len(got) > 0 {
		t.Errorf("what comes too late is kept: %v", err)
	}
}

// TestSharedHistoryAway: every call ends in time while the database does not answer.
func TestSharedHistoryAway(t *testing.T) {
	needServers(t)
	pg := servers.StartPostgres(t, "")
	s := chronicle.New(prepared(t, pg), "mx1")
	if err := s.Append(t.Context(), []policy.Record{historytest.Record(1)}); err != nil {
		t.Fatal(err)
	}
	pg.Pause()
	defer pg.Continue()
	for name, call := range map[string]func(context.Context) error{
		"Append": func(ctx context.Context) error { return s.Append(ctx, []policy.Record{historytest.Record(2)}) },
		"Find":   func(ctx context.Context) error { _, err := s.Find(ctx, history.Filter{}, history.Cursor{}); return err },
		"Lookup": func(ctx context.Context) error { _, err := s.Lookup(ctx, "Q1"); return err },
		"Index":  func(ctx context.Context) error { _, err := s.Index(ctx); return err },
		"Counts": func(ctx context.Context) error { _, err := s.Counts(ctx, time.Time{}); return err },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		if err := call(ctx); err == nil || !strings.Contains(err.Error(), "shared database") {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}

// TestSharedHistoryWriter: records are written while searches hold every other connection, also the first of a day.
func TestSharedHistoryWriter(t *testing.T) {
	needServers(t)
	pg := servers.StartPostgres(t, "")
	state := prepared(t, pg)
	s := chronicle.New(state, "mx1")
	ctx, stop := context.WithCancel(t.Context())
	var searches sync.WaitGroup
	defer searches.Wait()
	defer stop()
	var holding sync.WaitGroup
	const others = 4 // of the connections with the default of store.connections
	holding.Add(others)
	for range others {
		searches.Go(func() {
			state.Read(ctx, func(db *sql.DB) error {
				c, err := db.Conn(ctx)
				if err != nil {
					t.Error(err)
				} else {
					defer c.Close()
				}
				holding.Done()
				<-ctx.Done()
				return nil
			})
		})
	}
	holding.Wait()
	short, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := s.Find(short, history.Filter{}, history.Cursor{}); err == nil {
		t.Error("one more search found a connection: nothing is shown")
	}
	for n := range 2 {
		if err := s.Append(t.Context(), []policy.Record{historytest.Record(n)}); err != nil {
			t.Error(err)
		}
	}
	stop()
	searches.Wait()
	if got, err := history.List(t.Context(), s.Find, history.Filter{}); err != nil || len(got) != 2 {
		t.Errorf("%d records, %v", len(got), err)
	}
}
