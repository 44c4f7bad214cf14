package integration

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/quarantine/quarantinetest"
	vault "github.com/milterscan/milterscan/policy/keep/quarantine/shared"
	"github.com/milterscan/milterscan/policy/keep/store"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/scan/sender/greylist"
	"github.com/milterscan/milterscan/scan/sender/rate"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// older is what a host has kept before it shared anything.
type older struct {
	dir, grey, rates, people string
	messages, rows           int
}

// keepAlone has a host keep messages, senders and limits by itself; some of the latter are over.
func keepAlone(t *testing.T, messages, rows int) older {
	t.Helper()
	dir := t.TempDir()
	o := older{filepath.Join(dir, "quarantine"), filepath.Join(dir, "greylist.db"), filepath.Join(dir, "rate.db"), filepath.Join(dir, "people.db"), messages, rows}
	d := quarantine.NewDir(o.dir, quarantine.Unindexed{}, func(err error) { t.Log(err) })
	for n := range messages {
		r := quarantinetest.Record(n)
		r.Time = time.Now().UTC().Truncate(time.Millisecond) // or the daemon removes it as it begins
		if err := d.Keep(t.Context(), policy.Copy{Record: r, Raw: &repeated{size: 20_000}}); err != nil {
			t.Fatal(err)
		}
	}
	grey, rates := store.NewGreylist(o.grey, func(err error) { t.Error(err) }), store.NewRate(o.rates, func(err error) { t.Error(err) })
	defer grey.Close()
	defer rates.Close()
	now, folk := time.Now(), people.New(o.people)
	defer folk.Close()
	for n := range rows {
		if err := folk.SetSettings(t.Context(), fmt.Sprintf("p%d@example.com", n), func(s *people.Settings) { s.Language = "de" }); err != nil {
			t.Fatal(err)
		}
		key := [16]byte{byte(n), byte(n >> 8), 1}
		hold := time.Hour
		if n%10 == 0 {
			hold = -time.Hour
		}
		if _, err := grey.Pass(t.Context(), greylist.Key(key), now, hold); err != nil {
			t.Fatal(err)
		}
		if _, err := rates.Take(t.Context(), rate.Key(key), rate.Bucket{Size: 2 * time.Hour, Every: time.Hour}, now.Add(hold-time.Hour+time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

// config returns the configuration of the host once it shares a database.
func (o older) config(t *testing.T, pg *servers.Postgres) string {
	return storeText(t, pg, `timeout = "10s"`) + fmt.Sprintf("[quarantine]\ndir = %q\n[greylist]\nfile = %q\n[rate]\nfile = %q\n[people]\nfile = %q\n", o.dir, o.grey, o.rates, o.people)
}

// TestMigrate moves what a host has kept while its daemon runs. The command is killed in the middle and begun again;
// nothing is lost, and nothing comes twice. A message that is damaged stays, and is named.
func TestMigrate(t *testing.T) {
	needServers(t)
	pg, o := servers.StartPostgres(t, ""), keepAlone(t, 150, 50)
	host := servers.StartMilterscan(t, filepath.Join(t.TempDir(), "m"), o.config(t, pg))
	servers.Await(t, "the tables to be made", func() bool { return len(host.Lines(t, "the shared database can be used")) > 0 })
	bad := quarantinetest.ID(7)
	if err := os.Truncate(filepath.Join(o.dir, bad[:4], bad+".eml.gz"), 100); err != nil {
		t.Fatal(err)
	}
	migrate := []string{"store", "migrate", "-c", host.ConfigFile(), "--from", "sqlite", "--to", "postgres"}
	first := exec.Command(servers.Binary(t), migrate...)
	var said strings.Builder
	first.Stdout, first.Stderr = &said, &said
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { first.Process.Kill() })
	servers.Await(t, "some messages to be moved", func() bool { return pg.SQL(t, "SELECT count(*) > 5 FROM quarantine") == "t" })
	first.Process.Kill()
	first.Wait()
	t.Logf("the command that was killed said %q", said.String())
	out, status := host.Run(t, "store migrate", "--from", "sqlite", "--to", "postgres")
	if status != 1 || !strings.Contains(out, "message "+bad+" stays where it is") {
		t.Errorf("with a damaged message: %d, %s", status, out)
	}
	for _, want := range []string{"50 entries: the database has 45 of them", "history: not moved", "; 1 stay", "50 settings, "} {
		if !strings.Contains(out, want) {
			t.Errorf("migrate does not say %q:\n%s", want, out)
		}
	}
	for query, want := range map[string]string{
		"SELECT count(*) FROM quarantine": "149", "SELECT count(*) FROM greylist_seen": "45",
		"SELECT count(DISTINCT id) = count(*) FROM quarantine": "t", "SELECT count(*) FROM rate_bucket": "45", "SELECT count(*) FROM setting": "50",
	} {
		if got := pg.SQL(t, query); got != want {
			t.Errorf("%s: %s; want %s", query, got, want)
		}
	}
	if err := os.Remove(filepath.Join(o.dir, bad[:4], bad+".eml.gz")); err != nil {
		t.Fatal(err)
	}
	if out, status := host.Run(t, "store migrate", "--from", "sqlite", "--to", "postgres"); status != 0 || !strings.Contains(out, "0 messages: 0 moved") {
		t.Errorf("once more: %d, %s", status, out)
	}
	if out, status := host.Run(t, "store check"); status != 0 || !strings.Contains(out, "149 messages were looked at; 0 things are wrong") {
		t.Errorf("check: %d, %s", status, out)
	}
}

// TestStoreCheck names each message with which something is wrong, and what.
func TestStoreCheck(t *testing.T) {
	needServers(t)
	pg := servers.StartPostgres(t, "")
	s := vault.New(prepared(t, pg), "mx1")
	for n := range 6 {
		if err := s.Keep(t.Context(), policy.Copy{Record: quarantinetest.Record(n), Raw: strings.NewReader("Subject: x\r\n\r\nbody\r\n")}); err != nil {
			t.Fatal(err)
		}
	}
	o := keepAlone(t, 0, 0)
	file := filepath.Join(t.TempDir(), "milterscan.toml")
	if err := os.WriteFile(file, []byte(o.config(t, pg)), 0o600); err != nil {
		t.Fatal(err)
	}
	id := quarantinetest.ID
	pg.SQL(t, fmt.Sprintf(`DELETE FROM quarantine_body WHERE id = '%s';
		UPDATE quarantine_body SET data = set_byte(data, 30, (get_byte(data, 30) + 1) %% 256) WHERE id = '%s';
		UPDATE quarantine_body SET data = data || 'x' WHERE id = '%s';
		SET session_replication_role = replica; DELETE FROM quarantine WHERE id = '%s'`, id(1), id(2), id(3), id(4)))
	old := time.Now().Add(-time.Hour)
	if err := s.Change(t.Context(), id(5), func(e *quarantine.Entry) error {
		e.State, e.Events = quarantine.Releasing, append(e.Events, quarantine.Event{Time: old, What: "release", By: "ann"})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	spare := quarantine.NewDir(filepath.Join(o.dir, "fallback"), quarantine.Unindexed{}, func(err error) { t.Log(err) })
	if err := spare.Keep(t.Context(), policy.Copy{Record: quarantinetest.Record(9), Raw: strings.NewReader("x")}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		want []string
	}{
		{[]string{"--quick"}, []string{id(1) + ": the database has an entry", id(3) + ": the database has an entry", id(4) + ": the database has the message, and no entry",
			id(5) + ": a release was begun", "1 kept messages to itself", "5 messages were looked at; 5 things are wrong"}},
		{nil, []string{id(2) + ": ", "5 messages were looked at; 6 things are wrong"}},
	} {
		out, err := exec.Command(servers.Binary(t), append([]string{"store", "check", "-c", file}, test.args...)...).CombinedOutput()
		if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 1 {
			t.Errorf("%v: %v", test.args, err)
		}
		for _, want := range test.want {
			if !strings.Contains(string(out), want) {
				t.Errorf("%v: check does not say %q:\n%s", test.args, want, out)
			}
		}
	}
}

// recipe finds the commands of docs/hosts.md that make and restore a backup.
var recipe = regexp.MustCompile(`(?m)^    ((?:pg_dump|createdb|pg_restore) .*)$`)

// TestBackup runs the commands of the manual: the restored data is whole, and has all that there was.
func TestBackup(t *testing.T) {
	needServers(t)
	pg := servers.StartPostgres(t, "")
	s := vault.New(prepared(t, pg), "mx1")
	for n := range 20 {
		if err := s.Keep(t.Context(), policy.Copy{Record: quarantinetest.Record(n), Raw: &repeated{size: 700_000}}); err != nil {
			t.Fatal(err)
		}
	}
	manual, err := os.ReadFile("../../docs/hosts.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(manual), "\n## Backup\n")
	commands := recipe.FindAllStringSubmatch(section, -1)
	if !found || len(commands) != 3 {
		t.Fatalf("docs/hosts.md has %d commands in its section on backups", len(commands))
	}
	dir := t.TempDir()
	for _, c := range commands {
		command := strings.TrimSuffix(c[1], " milterscan") + map[bool]string{true: " postgres"}[strings.HasSuffix(c[1], " milterscan")]
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		cmd := pg.Shell(ctx, command)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		cancel()
		if err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
	}
	file := filepath.Join(t.TempDir(), "milterscan.toml")
	text := strings.Replace(keepAlone(t, 0, 0).config(t, pg), "/postgres\"", "/restored\"", 1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(servers.Binary(t), "store", "check", "-c", file).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "20 messages were looked at; 0 things are wrong") {
		t.Errorf("%v\n%s", err, out)
	}
	tables := strings.Fields(pg.SQL(t, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"))
	if !slices.Contains(tables, "quarantine_audit") || len(tables) < 6 {
		t.Errorf("the tables are %v", tables)
	}
}
