package integration

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/people/peopletest"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// peopleTables are those of what people settle.
const peopleTables = "TRUNCATE entry, gone, changed, score_limit, setting, delegate, link, request, digest, rounds"

// TestSharedPeople: what every store of what people settle promises, two hosts with one database promise.
func TestSharedPeople(t *testing.T) {
	needServers(t)
	pg := servers.StartPostgres(t, "")
	here, there := prepared(t, pg), prepared(t, pg)
	peopletest.Run(t, func(t *testing.T) (*people.Store, *people.Store) {
		pg.SQL(t, peopleTables)
		return people.Shared(here), people.Shared(there)
	})
}

// TestSharedLists: what is listed on one host counts on all, a moment later; also where no word of it comes; and what was read
// last counts while the database is away, also for a daemon that begins meanwhile.
func TestSharedLists(t *testing.T) {
	f := newFleet(t, 2, "[local]\ndomains = [\"test.local\"]\n", open)
	one, two := f.houses[0], f.houses[1]
	counts := func(what string, since time.Time, sender string, code int) {
		t.Helper()
		for _, h := range []*house{two, one} {
			took := await(t, what, since, code, func() servers.Reply { return h.rcpt(t, sender, "user@test.local") })
			t.Logf("%s: on %s after %v", what, h.milter.Socket, took)
		}
	}
	counts("a block", one.lists(t, "add", "block", "--for", "user@test.local", "@spam.example"), "eve@spam.example", 550)
	for i := range 5 {
		sender := fmt.Sprintf("eve@spam%d.example", i)
		counts("another", one.lists(t, "add", "block", "--for", "test.local", sender), sender, 550)
	}
	counts("a block that is removed by the other host", two.lists(t, "remove", "--for", "user@test.local", "@spam.example"), "eve@spam.example", 250)

	begun := time.Now()
	f.pg.SQL(t, `BEGIN; UPDATE changed SET change = change + 1;
		INSERT INTO entry (owner, domain, pattern, authenticated, act, expires, note, maker, made, change)
		SELECT 'host', '', '@quiet.example', 0, 'block', 0, '', 'root', 1, change FROM changed; COMMIT`)
	counts("a block of which no word comes", begun, "eve@quiet.example", 550)

	two.milter.Stop()
	f.pg.Stop()
	two.milter.Start(t)
	for _, h := range f.houses {
		wantReply(t, "a blocked sender while the database is away", h.rcpt(t, "eve@quiet.example", "user@test.local"), 550)
		wantReply(t, "another one", h.rcpt(t, "bob@ham.example", "user@test.local"), 250)
	}
	out, status := one.milter.Run(t, "list add", "block", "--for", "host", "x@spam.example")
	if status == 0 || !strings.Contains(out, "shared database") {
		t.Errorf("list add while the database is away: %d, %s", status, out)
	}
	f.pg.Start(t)
	eventually(t, "lists can be changed again", func() error {
		if out, status := two.milter.Run(t, "list add", "block", "--for", "host", "late@spam.example"); status != 0 {
			return fmt.Errorf("%d, %s", status, out)
		}
		return nil
	})
	counts("a block after all that", time.Now(), "late@spam.example", 550)
}
