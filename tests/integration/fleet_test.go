package integration

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
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
	s := storeSection(t, pg, text).Fleet("")
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
	s := sectionOf(t, fmt.Sprintf("[store]\nurl = %q\npassword_file = %q\nconnections = 2\ntimeout = \"1s\"\n", pg.URL(), file)).Fleet("")
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
	sendertest.Contact(t, func(t *testing.T) sendertest.Contacts {
		hosts, _ := shared(t, pg)
		pg.SQL(t, "TRUNCATE contact_pair")
		return sendertest.Contacts{hosts[0].Contact(), hosts[1].Contact()}
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

// TestFleetHosts has two hosts say how they are, and doctor read it as an administrator does.
func TestFleetHosts(t *testing.T) {
	needServers(t)
	pg := servers.StartPostgres(t, "")
	text := storeText(t, pg, "name = \"mx1\"")
	s := sectionOf(t, text).Fleet("")
	t.Cleanup(func() { s.Close() })
	if err := s.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, version := range map[string]string{"mx1": "1.0", "mx2": "1.1", "mx3": "1.0"} {
		h := fleet.Host{Name: name, Version: version, Config: "same", Started: time.Now(), Facts: map[string]string{"key of links": "k" + version}}
		if err := s.Announce(t.Context(), h); err != nil {
			t.Fatal(err)
		}
	}
	pg.SQL(t, "UPDATE host SET seen = seen - interval '8 days' WHERE name = 'mx3'")
	if err := s.Announce(t.Context(), fleet.Host{Name: "mx1", Version: "1.0", Config: "same", Started: time.Now(), Facts: map[string]string{"key of links": "k1.0"}}); err != nil {
		t.Fatal(err)
	}
	hosts, err := s.Hosts(t.Context())
	if err != nil || len(hosts) != 2 || hosts[0].Name != "mx1" || hosts[1].Facts["key of links"] != "k1.1" || hosts[0].Drift.Abs() > time.Minute || hosts[1].Ago < 0 {
		t.Fatalf("%+v, %v", hosts, err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "milterscan.toml")
	if err := os.WriteFile(file, []byte(servers.Private(text, dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(servers.Binary(t), "doctor", "--fleet", "-c", file).CombinedOutput()
	report := string(out)
	for _, want := range []string{"mx1: milterscan 1.0", "mx2: milterscan 1.1", "the hosts run different versions: 1.0 (mx1), 1.1 (mx2)",
		"key of links: the hosts do not have the same: k1.0 (mx1), k1.1 (mx2)", "fsync is off", "its tables have layout"} {
		if !strings.Contains(report, want) {
			t.Errorf("doctor does not say %q:\n%s", want, report)
		}
	}
	if err == nil {
		t.Error("doctor finds nothing")
	}
}

// goesOnAlone has mail go on at once while what the hosts share hangs: none is put off, and this host has half of a limit of four.
func (h *house) goesOnAlone(t *testing.T) {
	t.Helper()
	wantReply(t, "while what is shared hangs", h.from(t, "203.0.113.1", "new@test.local"), 250)
	if got := strings.Join(h.found(t), " "); !strings.Contains(got, "greylist/failed") || !strings.Contains(got, "rate/local") {
		t.Errorf("found %s", got)
	}
	for i, want := range []int{250, 250, 550} {
		wantReply(t, fmt.Sprint("a half of the limit, ", i+1), h.from(t, "192.0.2.1", "all@test.local"), want)
	}
}

// TestFleetOfTwo has two hosts share a greylist and a limit; the database hangs, and mail goes on at once.
func TestFleetOfTwo(t *testing.T) {
	needServers(t)
	pg := servers.StartPostgres(t, "")
	engine := "unix:" + servers.StartClamd(t).Socket
	var hosts [2]*house
	for i := range hosts {
		hosts[i] = &house{engine: engine}
		hosts[i].start(t, ours+greylisting(t)+storeText(t, pg, fmt.Sprintf("name = \"mx%d\"", i+1))+
			fmt.Sprintf("[rate]\nfile = %q\n\n[[rate.limit]]\nname = \"all\"\nby = \"recipient\"\nrecipients = 4\nper = \"24h\"\n\n", filepath.Join(t.TempDir(), "rate.db"))+
			"[[rule]]\nname = \"over\"\nto = [\"all@test.local\"]\nwhen = [\"rate/over/all\"]\naction = \"reject\"\nreply = \"550 5.7.1 Too much.\"\n\n"+
			"[[rule]]\nname = \"impatient\"\nto = [\"all@test.local\"]\naction = \"deliver\"\n", open)
	}
	one, other := hosts[0], hosts[1]
	putOff := func(what string, r servers.Reply) { t.Helper(); wantReply(t, what, r, 451, "4.7.1", "try again") }
	putOff("the first try", one.from(t, "192.0.2.1", "user@test.local"))
	putOff("at once, at the other host", other.from(t, "192.0.2.1", "user@test.local"))
	servers.Await(t, "the time to be over", func() bool { return other.from(t, "192.0.2.1", "user@test.local").Code == 250 })
	wantReply(t, "back at the first", one.from(t, "192.0.2.1", "user@test.local"), 250)
	for i := range 4 {
		wantReply(t, "within the limit", hosts[i%2].from(t, "192.0.2.1", "all@test.local"), 250)
	}
	wantReply(t, "over the limit", one.from(t, "192.0.2.1", "all@test.local"), 550, "Too much")
	wantReply(t, "over the limit", other.from(t, "192.0.2.1", "all@test.local"), 550, "Too much")
	servers.Await(t, "both to have spoken", func() bool { return pg.SQL(t, "SELECT count(*) FROM host") == "2" })
	if report, _ := one.milter.Run(t, "doctor", "--fleet"); !strings.Contains(report, "mx1: milterscan") || !strings.Contains(report, "mx2: milterscan") {
		t.Errorf("doctor shows\n%s", report)
	}

	pg.Pause()
	one.goesOnAlone(t)
	pg.Continue()
	servers.Await(t, "the database to be used again", func() bool { return one.from(t, "203.0.113.2", "newer@test.local").Code == 451 })
}
