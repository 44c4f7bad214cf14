package integration

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/milterscan/milterscan/policy/token"
	"github.com/milterscan/milterscan/tests/fakes"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// sharing is a fleet: houses with one quarantine.
type sharing struct {
	pg     *servers.Postgres
	houses []*house
	kept   []string // the directories of their quarantines
	dirs   []string // of the houses
}

// newFleet starts a database and some houses, each of a Postfix with some lines in main.cf and a milterscan that
// sends what is released through it. HERE in the configuration is a directory of the house.
func newFleet(t *testing.T, n int, config string, mainCf ...string) *sharing {
	t.Helper()
	return newFleetWith(t, n, `timeout = "10s"`, "", config, mainCf...)
}

// newFleetWith adds texts to the sections [store] and [quarantine] of each.
func newFleetWith(t *testing.T, n int, store, quarantine, config string, mainCf ...string) *sharing {
	t.Helper()
	needServers(t)
	f := &sharing{pg: servers.StartPostgres(t, "")}
	key := filepath.Join(t.TempDir(), "key")
	if _, err := token.KeyFile(key).Make(); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		h := &house{mta: servers.StartPostfix(t, mainCf...)}
		name, dir := fmt.Sprintf("mx%d", i+1), t.TempDir()
		kept := filepath.Join(dir, "quarantine")
		h.milter = servers.StartMilterscan(t, h.mta.MilterSocket(), storeText(t, f.pg, fmt.Sprintf("name = %q\n%s", name, store))+
			fmt.Sprintf("[submission]\nvia = \"smtp:%s\"\n[quarantine]\ndir = %q\nkey_file = %q\n%s\n", h.mta.SMTP(), kept, key, quarantine)+
			strings.ReplaceAll(config, "HERE", dir))
		f.houses, f.kept, f.dirs = append(f.houses, h), append(f.kept, kept), append(f.dirs, dir)
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("the log of %s:\n%s\nits MTA's:\n%s", name, last(h.milter.Output(), 4000), last(h.mta.Log(), 2000))
			}
		})
	}
	return f
}

// keepPrograms keeps programs.
const keepPrograms = "[[rule]]\nname = \"keep programs\"\nwhen = [\"forbidden\"]\naction = \"quarantine\"\n"

// TestKeptHereReleasedThere: what one host has kept the other lists and lets out, once, though both are asked at the same
// time. While their database or the bucket of their messages is away, nothing is accepted that would have to be kept, and
// all else is.
func TestKeptHereReleasedThere(t *testing.T) {
	box := &fakes.S3{}
	f := newFleetWith(t, 2, "timeout = \"10s\"\n"+s3Text(t, box), "", keepPrograms)
	one, two := f.houses[0], f.houses[1]
	m := program()
	wantReply(t, "a program", one.send(m), 250)
	rows := two.list(t)
	if len(rows) != 1 || rows[0].State != "kept" {
		t.Fatalf("the other host lists %+v", rows)
	}
	id := rows[0].ID
	var all sync.WaitGroup
	statuses := make([]int, 6)
	for i := range statuses {
		all.Go(func() { _, statuses[i] = f.houses[i%2].milter.Run(t, "quarantine release", id) })
	}
	all.Wait()
	won := 0
	for _, status := range statuses {
		if status == 0 {
			won++
		}
	}
	count := func() int { return one.mta.Mailbox().Count() + two.mta.Mailbox().Count() }
	servers.Await(t, "the released mail", func() bool { return count() > 0 })
	arrived := count()
	if won != 1 || arrived != 1 {
		t.Errorf("%d commands released it, and %d came", won, arrived)
	}
	out, _ := one.milter.Run(t, "quarantine show", id, "--json")
	if !strings.Contains(out, `"host":"mx1"`) || !strings.Contains(out, `"what":"passed"`) || !strings.Contains(out, `"state":"released"`) {
		t.Errorf("what the entry says: %s", out)
	}
	if got := f.pg.SQL(t, "SELECT (SELECT count(*) FROM quarantine_object) || ' ' || (SELECT count(*) FROM quarantine_body)"); got != "1 0" {
		t.Errorf("objects and pieces: %s", got)
	}
	box.Fail(fakes.S3Denies)
	wantReply(t, "a program while the bucket is away", one.send(m), 451)
	wantReply(t, "harmless mail while the bucket is away", one.send(clean("tea")), 250)
	if out, _ := two.milter.Run(t, "doctor"); !strings.Contains(out, "kept messages cannot be put into the bucket") {
		t.Errorf("doctor says %s", out)
	}
	box.Fail("")
	if out, _ := two.milter.Run(t, "doctor", "-v"); !strings.Contains(out, "takes messages, and gives them back") {
		t.Errorf("doctor says %s", out)
	}
	if out, status := two.milter.Run(t, "store check"); status != 0 || !strings.Contains(out, "1 messages were looked at; 0 things are wrong") {
		t.Errorf("check: %d, %s", status, out)
	}
	f.pg.Stop()
	wantReply(t, "a program while the database is away", one.send(m), 451)
	wantReply(t, "harmless mail while the database is away", one.send(clean("lunch")), 250)
	if out, status := two.milter.Run(t, "quarantine list"); status == 0 || !strings.Contains(out, "shared database") {
		t.Errorf("list: %d, %s", status, out)
	}
	f.pg.Start(t)
	eventually(t, "it is kept again", func() error {
		if r := one.send(m); r.Code != 250 {
			return fmt.Errorf("%v", r)
		}
		return nil
	})
	if rows := two.list(t); len(rows) != 2 {
		t.Errorf("at the end: %+v", rows)
	}
}
