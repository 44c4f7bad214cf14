package integration

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/fleet"
	"github.com/milterscan/milterscan/scan/sender/greylist"
	"github.com/milterscan/milterscan/scan/sender/rate"
	"github.com/milterscan/milterscan/scan/sender/sendertest"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// member returns the state as one host of a fleet has it. The text is added to [store].
func member(t *testing.T, pg *servers.Postgres, text string) *fleet.State {
	t.Helper()
	s := storeSection(t, pg, text).Fleet()
	t.Cleanup(func() { s.Close() })
	return s
}

// storeSection returns a section [store] for a server.
func storeSection(t *testing.T, pg *servers.Postgres, text string) config.Store {
	t.Helper()
	return sectionOf(t, storeText(t, pg, text))
}

// sectionOf reads a section [store].
func sectionOf(t *testing.T, text string) config.Store {
	t.Helper()
	file := filepath.Join(t.TempDir(), "milterscan.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return c.Store
}

// storeText returns it as it is written.
func storeText(t *testing.T, pg *servers.Postgres, text string) string {
	t.Helper()
	return fmt.Sprintf("[store]\nurl = %q\npassword_file = %q\n%s\n", pg.URL(), pg.PasswordFile(t), text)
}

// ping asks as mail does.
func ping(ctx context.Context, s *fleet.State) error {
	return s.Ask(ctx, func(ctx context.Context, db *sql.DB) error { _, err := db.ExecContext(ctx, "SELECT 1"); return err })
}

// TestFleetLayout has ten daemons begin at once: the tables are made once, and all can use them.
func TestFleetLayout(t *testing.T) {
	needServers(t)
	pg := servers.StartPostgres(t, "")
	var all sync.WaitGroup
	for range 10 {
		s := member(t, pg, "connections = 1")
		all.Go(func() {
			if err := s.Prepare(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := pg.SQL(t, "SELECT count(*) FROM layout_file WHERE version_id > 0"); got != fmt.Sprint(len(layoutFiles(t))) {
		t.Errorf("%s files were run", got)
	}
	s := member(t, pg, "")
	if err := errors.Join(s.Check(t.Context()), ping(t.Context(), s)); err != nil {
		t.Error(err)
	}
	pg.SQL(t, "UPDATE layout SET version = 1000")
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("a newer layout that we may use: %v", err)
	}
	pg.SQL(t, "UPDATE layout SET least = 1000")
	if err := s.Prepare(t.Context()); !errors.Is(err, fleet.ErrNewer) || !errors.Is(ping(t.Context(), s), fleet.ErrNewer) {
		t.Errorf("a layout for newer ones alone: %v, then %v", err, ping(t.Context(), s))
	}
}

// layoutFiles are the files that make the tables.
func layoutFiles(t *testing.T) []os.DirEntry {
	t.Helper()
	list, err := os.ReadDir("../../policy/keep/fleet/layout")
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestFleetAway has the database stop, hang, run out of connections and change its password. Whoever asks is told within
// the time for that, and asks again in vain at most once in ten seconds; afterwards everything is as before.
func TestFleetAway(t *testing.T) {
	needServers(t)
	pg := servers.StartPostgres(t, "", "max_connections=12", "superuser_reserved_connections=3")
	file := pg.PasswordFile(t)
	s := sectionOf(t, fmt.Sprintf("[store]\nurl = %q\npassword_file = %q\nconnections = 2\ntimeout = \"1s\"\n", pg.URL(), file)).Fleet()
	t.Cleanup(func() { s.Close() })
	if err := errors.Join(s.Prepare(t.Context()), ping(t.Context(), s)); err != nil {
		t.Fatal(err)
	}
	for _, fault := range []struct {
		name        string
		begin, mend func()
	}{
		{"stopped", pg.Stop, func() { pg.Start(t) }},
		{"killed", pg.Kill, func() { pg.Start(t) }},
		{"hanging", pg.Pause, pg.Continue},
	} {
		fault.begin()
		failed := 0
		for range 50 { // mails; two of them may wait for the answer
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			if err := ping(ctx, s); err != nil && ctx.Err() == nil {
				failed++
			}
			cancel()
		}
		if failed != 50 {
			t.Errorf("%s: %d of 50 were told", fault.name, failed)
		}
		if err := s.Prepare(t.Context()); err == nil || s.Ready() != nil {
			t.Errorf("%s: %v; the tables are said to be unfit: %v", fault.name, err, s.Ready())
		}
		fault.mend()
		eventually(t, fault.name+": the database is back", func() error { return s.Prepare(t.Context()) })
		if err := ping(t.Context(), s); err != nil {
			t.Errorf("%s: once it is back: %v", fault.name, err)
		}
	}
	pg.SQL(t, "ALTER ROLE postgres PASSWORD 'another one'; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'milterscan'")
	eventually(t, "the old password is refused", func() error {
		if err := s.Prepare(t.Context()); err == nil || !strings.Contains(err.Error(), "28P01") {
			return fmt.Errorf("no refusal: %v", err)
		}
		return nil
	})
	if err := os.WriteFile(file, []byte("another one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Prepare(t.Context()), ping(t.Context(), s)); err != nil {
		t.Errorf("with the new password: %v", err)
	}
}

// eventually waits until something does not fail any more.
func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	var err error
	for begun := time.Now(); time.Since(begun) < 2*time.Minute; time.Sleep(100 * time.Millisecond) {
		if err = try(); err == nil {
			return
		}
	}
	t.Fatalf("%s: %v", what, err)
}

// shared is one greylist and one set of buckets, of two hosts.
func shared(t *testing.T, pg *servers.Postgres) (hosts []*fleet.State, clock sendertest.Clock) {
	t.Helper()
	for range 2 {
		s := member(t, pg, "timeout = \"10s\"")
		if err := s.Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		hosts = append(hosts, s)
	}
	pg.SQL(t, "TRUNCATE greylist_seen, rate_bucket")
	return hosts, sendertest.Clock{Now: time.Now, Later: func(d time.Duration) {
		pg.SQL(t, fmt.Sprintf("UPDATE greylist_seen SET first_at = first_at - %d, until = until - %[1]d; UPDATE rate_bucket SET full_at = full_at - %d",
			int64(d.Seconds()), d.Milliseconds()))
	}}
}

// TestFleetSenders holds the greylist and the rates that two hosts share to what all promise.
func TestFleetSenders(t *testing.T) {
	needServers(t)
	pg := servers.StartPostgres(t, "")
	sendertest.Greylist(t, func(t *testing.T) sendertest.Greylists {
		hosts, clock := shared(t, pg)
		return sendertest.Greylists{Clock: clock, Hosts: []greylist.Store{hosts[0].Greylist(), hosts[1].Greylist()}}
	})
	sendertest.Rate(t, func(t *testing.T) sendertest.Rates {
		hosts, clock := shared(t, pg)
		return sendertest.Rates{Clock: clock, Hosts: []rate.Store{hosts[0].Rate(), hosts[1].Rate()}}
	})
	hosts, clock := shared(t, pg)
	pg.SQL(t, "INSERT INTO rate_bucket SELECT decode(md5(n::text), 'hex'), (extract(epoch FROM now()) * 1000)::bigint + n * 60000 FROM generate_series(1, 5000) AS n")
	clock.Later(2001 * time.Minute)
	for _, step := range []struct{ most, want int }{{5000, 2001}, {100, 2899}, {100, 0}} { // but for the minute that goes by
		if n, err := hosts[0].Rate().Expire(t.Context(), time.Time{}, step.most); n-step.want < -1 || n-step.want > 1 || err != nil {
			t.Errorf("of at most %d: %d forgotten, %v; want %d", step.most, n, err, step.want)
		}
	}
}
