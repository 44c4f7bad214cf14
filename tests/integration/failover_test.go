package integration

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy/token"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// newFailing starts a database with a standby that its commits wait for, and two hosts that know both. The first host
// keeps by itself what the database does not take, the second does not.
func newFailing(t *testing.T) (f *faulty, standby *servers.Postgres) {
	t.Helper()
	needServers(t)
	f = &faulty{sharing: sharing{pg: servers.StartPostgres(t, "")}}
	standby = f.pg.Standby(t)
	key, password := filepath.Join(t.TempDir(), "key"), f.pg.PasswordFile(t)
	if _, err := token.KeyFile(key).Make(); err != nil {
		t.Fatal(err)
	}
	f.pg.SQL(t, "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (*)'")
	f.pg.SQL(t, "SELECT pg_reload_conf()")
	for i := range 2 {
		h, kept := &house{mta: servers.StartPostfix(t)}, filepath.Join(t.TempDir(), "quarantine")
		h.milter = servers.StartMilterscan(t, h.mta.MilterSocket(), fmt.Sprintf(
			"[store]\nurl = \"postgres://%s@%s,%s/postgres\"\npassword_file = %q\nname = \"mx%d\"\ntimeout = \"1s\"\n[quarantine]\ndir = %q\nkey_file = %q\n%s\n",
			servers.PostgresUser, f.pg.Addr, standby.Addr, password, i+1, kept, key, []string{`fallback = "dir"`, ""}[i])+keepPrograms)
		f.houses, f.kept = append(f.houses, h), append(f.kept, kept)
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("the log of mx%d:\n%s", i+1, last(h.milter.Output(), 5000))
			}
		})
	}
	return f, standby
}

// says reports an error if doctor of a host does not say something.
func (f *faulty) says(t *testing.T, host int, texts ...string) {
	t.Helper()
	report, _ := f.houses[host].milter.Run(t, "doctor", "--fleet")
	for _, text := range texts {
		if !strings.Contains(report, text) {
			t.Errorf("doctor does not say %q:\n%s", text, report)
		}
	}
}

// TestFailover has the primary die, its standby be promoted, and the old primary come back as one that can be written to: nothing is
// written to it any more, also by a daemon that begins then, and also while the new primary is away.
func TestFailover(t *testing.T) {
	f, standby := newFailing(t)
	old := f.pg
	f.send(t, 2)
	f.settled(t)
	f.says(t, 0, "commits wait for a standby", "server "+standby.Addr+" is a standby")

	old.Kill()
	before := f.count
	f.send(t, 2)
	f.tell(t, before)
	if f.count.kept < before.kept+2 {
		t.Errorf("the host with a fallback kept %d of 2", f.count.kept-before.kept)
	}
	standby.Promote(t)
	f.pg = standby
	f.back(t)
	f.settled(t)
	f.says(t, 1, "no commit waits for a standby", "server "+old.Addr+" does not answer")

	old.Start(t)
	stale := old.SQL(t, "SELECT count(*) FROM quarantine")
	for _, h := range f.houses { // which knows only what it has written down
		h.milter.Kill()
		h.milter.Start(t)
	}
	f.back(t)
	f.send(t, 2)
	f.settled(t)
	f.houses[0].milter.Says(t, "the servers of the shared database are not as they should be", "(an old primary, which is not used)")
	f.says(t, 0, "server "+old.Addr+" is an old primary", "server "+standby.Addr+" is the primary")
	if rows := f.houses[1].list(t); len(rows) != f.count.kept {
		t.Errorf("a command lists %d messages; want %d", len(rows), f.count.kept)
	}

	standby.Stop()
	f.houses[0].milter.Kill()
	f.houses[0].milter.Start(t)
	before = f.count
	f.send(t, 2)
	f.tell(t, before)
	if f.count.kept != before.kept+2 || f.count.deferred != before.deferred+2 {
		t.Errorf("with an old primary alone: %+v, then %+v", before, f.count)
	}
	f.says(t, 1, "it is an old primary")
	if out, status := f.houses[1].milter.Run(t, "quarantine list"); status == 0 || !strings.Contains(out, "old primary") {
		t.Errorf("with an old primary alone a command says %d, %s", status, out)
	}
	standby.Start(t)
	f.back(t)
	f.settled(t)
	if got := old.SQL(t, "SELECT count(*) FROM quarantine"); got != stale {
		t.Errorf("the old primary had %s messages when it came back, and has %s", stale, got)
	}
	if n := len(f.houses[1].milter.Lines(t, "the shared database cannot be used; mail goes on without it")); n > 4 {
		t.Errorf("that the database is away is said %d times", n)
	}
}
