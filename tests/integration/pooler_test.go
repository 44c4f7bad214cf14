package integration

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/fleet"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/quarantine/quarantinetest"
	vault "github.com/milterscan/milterscan/policy/keep/quarantine/shared"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/people/peopletest"
	"github.com/milterscan/milterscan/scan/sender/greylist"
	"github.com/milterscan/milterscan/scan/sender/sendertest"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// poolerSettings returns the lines for pgbouncer that docs/hosts.md has.
func poolerSettings(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/hosts.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(page)) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "ignore_startup_parameters") {
			return line
		}
	}
	t.Fatal("docs/hosts.md has no settings of pgbouncer")
	return ""
}

// TestThroughPooler: what stores promise, they promise through pgbouncer, where each transaction has another connection,
// with the settings of docs/hosts.md; and it may be there before the server is, and after it.
func TestThroughPooler(t *testing.T) {
	needServers(t)
	pg := servers.StartPostgres(t, "")
	pooler := servers.StartPgbouncer(t, pg, poolerSettings(t))
	text := strings.Replace(storeText(t, pg, `timeout = "10s"`), pg.Addr, pooler.Addr, 1)
	var hosts [10]*fleet.State
	var all sync.WaitGroup
	for i := range hosts {
		hosts[i] = sectionOf(t, text).Fleet("")
		t.Cleanup(func() { hosts[i].Close() })
		all.Go(func() {
			if err := hosts[i].Prepare(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	here, there := hosts[0], hosts[1]
	quarantinetest.Run(t, func(t *testing.T) (quarantine.Store, quarantine.Store) {
		pg.SQL(t, quarantineTables)
		return vault.New(here, "mx1"), vault.New(there, "mx2")
	})
	peopletest.Run(t, func(t *testing.T) (*people.Store, *people.Store) {
		pg.SQL(t, peopleTables)
		return people.Shared(here), people.Shared(there)
	}, claimedBefore(pg))
	sendertest.Greylist(t, func(t *testing.T) sendertest.Greylists {
		_, clock := shared(t, pg)
		return sendertest.Greylists{Clock: clock, Hosts: []greylist.Store{here.Greylist(), there.Greylist()}}
	})
	s := vault.New(here, "mx1")
	keep := func(n int) error {
		return s.Keep(t.Context(), policy.Copy{Record: quarantinetest.Record(n), Raw: strings.NewReader("Subject: x\r\n\r\nbody\r\n")})
	}
	pg.SQL(t, quarantineTables)
	pg.Kill()
	if err := keep(1); err == nil {
		t.Error("a message is kept nowhere")
	}
	pg.Start(t)
	eventually(t, "the database to be back", func() error { return errors.Join(here.Prepare(t.Context()), s.Check(t.Context())) })
	if err := keep(2); err != nil {
		t.Error(err)
	}
	if got := pg.SQL(t, "SELECT id FROM quarantine"); got != quarantinetest.ID(2) {
		t.Errorf("it has %s", got)
	}
}
