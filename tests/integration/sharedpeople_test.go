package integration

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts/accountstest"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/people/peopletest"
	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
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
	}, claimedBefore(pg))
}

// claimedBefore has what was claimed be claimed longer ago, by the clock of the database.
func claimedBefore(pg *servers.Postgres) func(*testing.T, time.Duration) {
	return func(t *testing.T, d time.Duration) {
		pg.SQL(t, fmt.Sprintf("UPDATE digest SET claimed = claimed - %d WHERE claimed > 0", d.Milliseconds()))
	}
}

// TestSharedAccounts: what accounts promise anywhere, two hosts with one database promise; and nothing changes their
// audit log.
func TestSharedAccounts(t *testing.T) {
	needServers(t)
	pg := servers.StartPostgres(t, "")
	here, there := prepared(t, pg), prepared(t, pg)
	accountstest.Run(t, accountstest.With{
		Open: func(t *testing.T) (*accounts.Accounts, *accounts.Accounts) {
			pg.SQL(t, "TRUNCATE account, recovery, session, token, audit, kept")
			return accounts.Of("", here), accounts.Of("", there)
		},
		Code: func(secret string) (string, error) { return totp.GenerateCode(secret, time.Now()) },
	})
	if err := accounts.Of("", here).Note(t.Context(), accounts.Entry{Person: "ann", Act: "look"}); err != nil {
		t.Fatal(err)
	}
	for _, change := range []string{"UPDATE audit SET person = 'eve'", "DELETE FROM audit"} {
		pg.SQL(t, "DO $$ BEGIN "+change+"; EXCEPTION WHEN raise_exception THEN NULL; END $$")
	}
	if got := pg.SQL(t, "SELECT count(*) FROM audit WHERE person = 'ann'"); got != "1" {
		t.Errorf("%s lines are as they were", got)
	}
}

// TestSharedConsole: who has logged in on one host is known on the other; a link of a digest works once, wherever it
// is clicked; and while the database is away, pages say so, and why no account can log in.
func TestSharedConsole(t *testing.T) {
	f := newFleet(t, 2, `
[local]
domains = ["test.local"]
[people]
file = "HERE/people.db"
[people.digest]
enabled = true
[console]
listen = ["unix:HERE/console"]
file = "HERE/console.db"
url = "http://console.test"
[[rule]]
name = "keep it"
from = ["shop@example.org"]
action = "quarantine"
`)
	one, two := f.houses[0], f.houses[1]
	password, status := one.milter.Run(t, "user add", "--role", "administrator", "--generate", "root")
	if password = strings.TrimSpace(password); status != 0 {
		t.Fatal(password)
	}
	if out, status := two.milter.Run(t, "user list"); status != 0 || !strings.Contains(out, "root") {
		t.Errorf("the other host lists %s", out)
	}
	here, there := visit(t, filepath.Join(f.dirs[0], "console")), visit(t, filepath.Join(f.dirs[1], "console"))
	there.Jar = here.Jar
	here.post("/login", "name", "root", "password", password, "next", "/account")
	for name, v := range map[string]*visitor{"the host": here, "the other": there} {
		if page, at := v.get("/account"); at != "/account" || !strings.Contains(page, "<bdi>root</bdi>") {
			t.Errorf("at %s root is at %s: %s", name, at, page)
		}
	}

	wantReply(t, "what is kept", one.send(servers.Mail{From: "shop@example.org", To: []string{"user@test.local"}, Data: sample.Plain("an offer", "Buy.")}), 250)
	for i, h := range f.houses { // both at once would do as well; only one of them sends
		out, _ := h.milter.Run(t, "digest send", "--for", "user@test.local")
		if strings.Contains(out, "sent: 1") != (i == 0) {
			t.Errorf("digest send on host %d: %s", i+1, out)
		}
	}
	digest := one.mta.Mailbox().One(t)
	link := ""
	for _, l := range ourLinks.FindAllStringSubmatch(unfolded(string(digest.Mail)), -1) {
		if l[1] == "Release" {
			link = l[2]
		}
	}
	one.mta.Mailbox().Clear()
	var all sync.WaitGroup
	var done atomic.Int32
	for i := range 16 {
		v := visit(t, filepath.Join(f.dirs[i%2], "console"))
		all.Go(func() {
			if page, _ := v.post(link, "confirm", "release"); strings.Contains(page, "The message is on its way") {
				done.Add(1)
			}
		})
	}
	all.Wait()
	arrived := func() int { return one.mta.Mailbox().Count() + two.mta.Mailbox().Count() }
	servers.Await(t, "the message", func() bool { return arrived() > 0 })
	if done.Load() != 1 || arrived() != 1 {
		t.Errorf("of 16 clicks %d released it, and it arrived %d times", done.Load(), arrived())
	}

	apart(t, f, here, password)
}

// apart has the database of a fleet hang while somebody is inside, and another wants to log in.
func apart(t *testing.T, f *sharing, inside *visitor, password string) {
	t.Helper()
	const away, refused = "The database that the mail hosts share has not answered since", "The database that the mail hosts share does not answer"
	stranger := visit(t, filepath.Join(f.dirs[1], "console"))
	sees := func(who, page string, all ...string) {
		t.Helper()
		for _, want := range all {
			if !strings.Contains(page, want) {
				t.Errorf("%s does not see %q: %s", who, want, page)
			}
		}
	}
	eventually(t, "the overview has numbers", func() error {
		if page, _ := inside.get("/"); strings.Contains(page, away) || !strings.Contains(page, `class="figures"`) {
			return errors.New(page)
		}
		return nil
	})
	f.pg.Pause()
	for path, want := range map[string]string{"/": "as they were last counted", "/rules": "keep it", "/rules/settings": "http://console.test", "/help": "hosts"} {
		page, at := inside.get(path)
		if at != path {
			t.Errorf("%s leads to %s", path, at)
		}
		sees("one who is inside, at "+path, page, away, want)
	}
	for _, path := range []string{"/messages", "/account", "/login", "/audit"} {
		page, _ := inside.get(path)
		sees("one who is inside, at "+path, page, away, "Not while the database is away")
	}
	page, _ := inside.post("/language", "language", "de")
	sees("one who changes the language", page, refused)
	page, _ = stranger.post("/login", "name", "root", "password", password)
	sees("one who logs in", page, refused)
	page, _ = inside.post("/logout")
	sees("one who logs out", page, refused)
	if _, at := inside.get("/account"); at != "/login" {
		t.Errorf("one who has logged out is at %s", at)
	}
	f.pg.Continue()
	eventually(t, "the pages are back", func() error {
		if page, at := inside.post("/login", "name", "root", "password", password, "next", "/account"); at != "/account" || !strings.Contains(page, "<bdi>root</bdi>") {
			return fmt.Errorf("at %s", at)
		}
		return nil
	})
}

// TestSharedLists: an entry made on one host counts on all, a moment later; also where no word of it comes; and what
// was read last counts while the database is away, also for a daemon that begins meanwhile.
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
