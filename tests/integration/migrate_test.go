package integration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history/spill"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/quarantine/quarantinetest"
	vault "github.com/milterscan/milterscan/policy/keep/quarantine/shared"
	"github.com/milterscan/milterscan/policy/keep/store"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/scan/sender/contact"
	"github.com/milterscan/milterscan/scan/sender/greylist"
	"github.com/milterscan/milterscan/scan/sender/rate"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// older is what a host has kept before it shared anything.
type older struct {
	dir, grey, rates, people          string
	history, contacts, console, token string
	messages, rows                    int
}

// keepAlone has a host keep messages, senders and limits by itself; some of the latter are over.
func keepAlone(t *testing.T, messages, rows int) older {
	t.Helper()
	dir := t.TempDir()
	o := older{filepath.Join(dir, "quarantine"), filepath.Join(dir, "greylist.db"), filepath.Join(dir, "rate.db"), filepath.Join(dir, "people.db"),
		filepath.Join(dir, "history.db"), filepath.Join(dir, "contacts.db"), filepath.Join(dir, "console.db"), "", messages, rows}
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
	o.remember(t)
	return o
}

// remember has a host write down records, contacts, accounts and an audit log. One record and one contact of ten are
// over.
func (o *older) remember(t *testing.T) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	past, knows, people := store.NewHistory(o.history, func(err error) { t.Error(err) }), store.NewContact(o.contacts, func(err error) { t.Error(err) }),
		accounts.New(o.console)
	defer past.Close()
	defer knows.Close()
	defer people.Close()
	var records []policy.Record
	keys := map[contact.Key]time.Time{}
	for n := range o.rows * 40 {
		r := quarantinetest.Record(1000 + n)
		r.Time = now.Add(-time.Duration(n%10) * 80 * time.Hour) // the last of them is 30 days ago
		records = append(records, r)
	}
	for n := range o.rows {
		keys[contact.Key{byte(n), byte(n >> 8), 1}] = now.AddDate(0, 0, 1-n%10/9*2)
		if err := people.Note(t.Context(), accounts.Entry{Person: "ann", Act: "view", Object: fmt.Sprint(n)}); err != nil {
			t.Fatal(err)
		}
	}
	err := errors.Join(past.Append(t.Context(), records), knows.Remember(t.Context(), keys),
		people.Add(t.Context(), accounts.Account{Name: "ann", Role: login.Administrator}, "correct horse battery"))
	if err != nil {
		t.Fatal(err)
	}
	ann, err := people.ByName(t.Context(), "ann")
	if err == nil {
		o.token, err = people.AddToken(t.Context(), ann, accounts.Token{Name: "panel", Rights: []login.Right{login.SeeMessages}})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// config returns the configuration of the host once it shares a database.
func (o older) config(t *testing.T, pg *servers.Postgres) string {
	return storeText(t, pg, `timeout = "10s"`) + fmt.Sprintf("[quarantine]\ndir = %q\n[greylist]\nfile = %q\n[rate]\nfile = %q\n[people]\nfile = %q\n"+
		"[history]\nfile = %q\n[contact]\nfile = %q\n[console]\nfile = %q\n", o.dir, o.grey, o.rates, o.people, o.history, o.contacts, o.console)
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
	for _, begun := range []string{"quarantine", "history"} {
		first := exec.Command(servers.Binary(t), migrate...)
		var said strings.Builder
		first.Stdout, first.Stderr = &said, &said
		if err := first.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { first.Process.Kill() })
		servers.Await(t, "some to be moved of "+begun, func() bool { return pg.SQL(t, "SELECT count(*) > 5 FROM "+begun) == "t" })
		first.Process.Kill()
		first.Wait()
		t.Logf("the command that was killed said %q", said.String())
	}
	out, status := host.Run(t, "store migrate", "--from", "sqlite", "--to", "postgres")
	if status != 1 || !strings.Contains(out, "message "+bad+" stays where it is") {
		t.Errorf("with a damaged message: %d, %s", status, out)
	}
	for _, want := range []string{"50 entries: the database has 45 of them", "; 1 stay", "50 settings, ",
		"the time of 200 is over; 0 stay", "1 accounts: ", "50 lines of the audit log: "} {
		if !strings.Contains(out, want) {
			t.Errorf("migrate does not say %q:\n%s", want, out)
		}
	}
	for query, want := range map[string]string{
		"SELECT count(*) FROM quarantine": "149", "SELECT count(*) FROM greylist_seen": "45",
		"SELECT count(DISTINCT id) = count(*) FROM quarantine": "t", "SELECT count(*) FROM rate_bucket": "45", "SELECT count(*) FROM setting": "50",
		"SELECT count(*) FROM history": "1800", "SELECT count(DISTINCT id) FROM history": "1800", "SELECT sum(n) FROM history_count WHERE what = 'action'": "1800",
		"SELECT count(*) FROM contact_pair": "45", "SELECT count(*) FROM audit WHERE act = 'view'": "50",
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
	shared := accounts.Of("", prepared(t, pg))
	defer shared.Close()
	if p, err := shared.Bearer(t.Context(), o.token); err != nil || p.Name != "ann" {
		t.Errorf("the token of an account that was moved: %+v, %v", p, err)
	}
	if out, status := host.Run(t, "history", "--json", "--limit", "5000"); status != 0 || strings.Count(out, "\n") != 1800 {
		t.Errorf("history has %d records, %d", strings.Count(out, "\n"), status)
	}
	if out, status := host.Run(t, "store check"); status != 0 || !strings.Contains(out, "149 messages were looked at; 0 things are wrong") {
		t.Errorf("check: %d, %s", status, out)
	}
}

// away is a history that takes nothing.
type away struct{}

func (away) Append(context.Context, []policy.Record) error { return errors.New("it is away") }

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
	late := spill.New(away{}, spill.Terms{File: strings.TrimSuffix(o.history, ".db") + ".spill", Bytes: 1 << 20, Warn: func(error) {}, Lost: func(int) {}})
	if err := late.Append(t.Context(), []policy.Record{quarantinetest.Record(10), quarantinetest.Record(11)}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		want []string
	}{
		{[]string{"--quick"}, []string{id(1) + ": the database has an entry", id(3) + ": the database has an entry", id(4) + ": the database has the message, and no entry",
			id(5) + ": a release was begun", "1 kept messages to itself", "has 2 records of messages in", "5 messages were looked at; 6 things are wrong"}},
		{nil, []string{id(2) + ": ", "5 messages were looked at; 7 things are wrong"}},
		{[]string{"--json", "--quick"}, []string{`{"fault":"a release was begun`, `{"faults":6,"messages":5}`}},
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
