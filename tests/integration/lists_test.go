package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
)

// pills refuses mail about pills, by its score.
const pills = "[[content.list]]\nname = \"pills\"\nwords = [\"pills\"]\nscore = 6.0\n" +
	"[[rule]]\nname = \"spam\"\nwhen = [\"score >= 5\"]\naction = \"reject\"\n"

// lists runs a command for lists, and returns when it has ended.
func (h *house) lists(t *testing.T, args ...string) time.Time {
	t.Helper()
	out, status := h.milter.Run(t, "list "+args[0], args[1:]...)
	if status != 0 {
		t.Fatalf("list %q: status %d, %s", args, status, out)
	}
	return time.Now()
}

// rcpt returns the answer to RCPT of a sender.
func (h *house) rcpt(t *testing.T, from, to string) servers.Reply {
	t.Helper()
	c := h.as(t, "ADDR=192.0.2.1")
	defer c.Quit()
	wantReply(t, "MAIL", c.Cmd("MAIL FROM:<%s>", from), 250)
	return c.Cmd("RCPT TO:<%s>", to)
}

// await asks until the answer has a code, and returns how long after a moment that was.
func await(t *testing.T, what string, since time.Time, code int, ask func() servers.Reply) time.Duration {
	t.Helper()
	servers.Await(t, what, func() bool { return ask().Code == code })
	return time.Since(since)
}

// TestLists blocks a sender, who is refused at RCPT a moment later, and only by the recipient whose
// list it is; and allows another, whose spam then arrives, and whose viruses do not.
func TestLists(t *testing.T) {
	needServers(t)
	h := newHouse(t, "[local]\ndomains = [\"test.local\"]\n"+pills, open)
	from := func(sender string, data []byte) servers.Reply {
		c := h.as(t, "ADDR=192.0.2.1")
		defer c.Quit()
		return c.Send(servers.Mail{From: sender, To: []string{"user@test.local"}, Data: data})
	}
	spam := sample.Plain("an offer", "Buy pills.\r\n")
	wantReply(t, "mail before", from("eve@spam.example", clean("1").Data), 250)
	wantReply(t, "spam before", from("ann@shop.example", spam), 550)
	h.mta.Mailbox().Await(t, 1)

	took := await(t, "the block to count", h.lists(t, "add", "block", "--for", "user@test.local", "@spam.example", "--note", "annoys"), 550,
		func() servers.Reply { return h.rcpt(t, "eve@spam.example", "user@test.local") })
	t.Logf("a block counts at RCPT after %v", took)
	wantReply(t, "a blocked sender at RCPT", h.rcpt(t, "eve@spam.example", "user@test.local"), 550, "5.7.1", "The recipient does not accept mail from this sender")
	wantReply(t, "another recipient", h.rcpt(t, "eve@spam.example", "other@test.local"), 250)
	wantReply(t, "another sender", h.rcpt(t, "eve@ham.example", "user@test.local"), 250)

	h.mta.Mailbox().Clear()
	took = await(t, "the entry to count", h.lists(t, "add", "allow", "--for", "user@test.local", "ann@shop.example"), 250,
		func() servers.Reply { return from("ann@shop.example", spam) })
	t.Logf("an allowed sender's spam arrives after %v", took)
	if d := h.mta.Mailbox().One(t); d.Recipient != "user@test.local" {
		t.Errorf("delivered to %s", d.Recipient)
	}
	wantReply(t, "spam of another", from("bob@shop.example", spam), 550)
	wantReply(t, "a virus of an allowed sender", from("ann@shop.example", infected().Data), 550, "virus")
	wantReply(t, "a program of an allowed sender", from("ann@shop.example", program().Data), 550)

	removed := h.lists(t, "remove", "--for", "user@test.local", "@spam.example")
	took = await(t, "the block to be over", removed, 250, func() servers.Reply { return h.rcpt(t, "eve@spam.example", "user@test.local") })
	t.Logf("a removed block counts for %v more", took)
	explained := ""
	servers.Await(t, "explain to name the block", func() bool {
		out, _ := h.milter.Run(t, "history", "--from", "eve@spam.example", "--action", "reject", "--limit", "1")
		explained, _ = h.milter.Run(t, "explain", strings.Fields(out + " ?")[0])
		return strings.Contains(explained, "blocked by an entry of user@test.local: @spam.example")
	})
	if strings.Contains(explained, "annoys") {
		t.Errorf("explain tells the note: %s", explained)
	}
}

// TestOwnLimits has recipients decide from which score on they want no mail, and entries and limits of a person count
// for an alias of it.
func TestOwnLimits(t *testing.T) {
	needServers(t)
	table := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(table, []byte("address,aliases\nuser@test.local,alias@test.local\nother@test.local,\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, "[local]\ndomains = [\"test.local\"]\n[people.score]\nleast = 4\nmost = 12\n"+
		fmt.Sprintf("[[people.source]]\nname = \"staff\"\ntype = \"csv\"\nfile = %q\n", table)+
		strings.Replace(pills, "score >= 5", "score >= own 8", 1), open)
	spam := sample.Plain("an offer", "Buy pills.\r\n")
	to := func(recipient string) servers.Reply {
		c := h.as(t, "ADDR=192.0.2.1")
		defer c.Quit()
		return c.Send(servers.Mail{From: "ann@shop.example", To: []string{recipient}, Data: spam})
	}
	limit := func(args ...string) time.Time {
		t.Helper()
		if out, status := h.milter.Run(t, "people limit", args...); status != 0 {
			t.Fatalf("people limit %q: status %d, %s", args, status, out)
		}
		return time.Now()
	}
	wantReply(t, "mail within the usual limit", to("alias@test.local"), 250)
	took := await(t, "the limit to count", limit("alias@test.local", "5.5"), 550, func() servers.Reply { return to("user@test.local") })
	t.Logf("a limit counts after %v", took)
	wantReply(t, "mail for an alias of the person", to("alias@test.local"), 550)
	wantReply(t, "mail for another", to("other@test.local"), 250)
	servers.Await(t, "explain to name the limit", func() bool {
		out, _ := h.milter.Run(t, "history", "--to", "alias@test.local", "--action", "reject", "--limit", "1")
		explained, _ := h.milter.Run(t, "explain", strings.Fields(out + " ?")[0])
		return strings.Contains(explained, "own limit 5.5 of user@test.local")
	})
	if out, status := h.milter.Run(t, "people limit", "user@test.local", "3"); status != 64 || !strings.Contains(out, "between 4 and 12") {
		t.Errorf("a limit that the host does not let: %d, %s", status, out)
	}
	took = await(t, "no limit to count", limit("user@test.local", "none"), 250, func() servers.Reply { return to("alias@test.local") })
	t.Logf("a limit counts for %v more", took)
	took = await(t, "the block to count", h.lists(t, "add", "block", "--for", "user@test.local", "@shop.example"), 550,
		func() servers.Reply { return h.rcpt(t, "ann@shop.example", "alias@test.local") })
	t.Logf("a block counts for an alias after %v", took)
	wantReply(t, "a sender whom another person blocks", h.rcpt(t, "ann@shop.example", "other@test.local"), 250)
}

// TestListsOfMillions has the daemon start with a million entries, and follow one change of them.
func TestListsOfMillions(t *testing.T) {
	needServers(t)
	if !long() {
		t.Skip("takes a minute")
	}
	h := newHouse(t, "[local]\ndomains = [\"test.local\"]\n", open)
	var b strings.Builder
	for i := range 1_000_000 {
		fmt.Fprintf(&b, "sender%d@domain%d.example\n", i, i%20_000)
	}
	file := t.TempDir() + "/list.txt"
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	took := await(t, "a million entries to count", h.lists(t, "import", "--for", "host", "--act", "block", file), 550,
		func() servers.Reply { return h.rcpt(t, "sender999999@domain19999.example", "user@test.local") })
	t.Logf("imported within %v, in force %v later", time.Since(begun), took)
	took = await(t, "one more to count", h.lists(t, "add", "block", "--for", "user@test.local", "eve@spam.example"), 550,
		func() servers.Reply { return h.rcpt(t, "eve@spam.example", "user@test.local") })
	t.Logf("one more counts after %v", took)
}
