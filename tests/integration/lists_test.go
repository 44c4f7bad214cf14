package integration

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
)

// pills refuses mail about pills, by its score.
const pills = "[[content.list]]\nname = \"pills\"\nwords = [\"pills\"]\nscore = 6.0\n" +
	"[[rule]]\nname = \"spam\"\nwhen = [\"score >= 5\"]\naction = \"reject\"\n"

// inForce is how long a change of a list may take until it counts.
const inForce = time.Second

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
	if took > inForce {
		t.Errorf("a block counts after %v", took)
	}
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
	if took := await(t, "the block to be over", removed, 250, func() servers.Reply { return h.rcpt(t, "eve@spam.example", "user@test.local") }); took > inForce {
		t.Errorf("a removed block counts for %v more", took)
	}
	out, _ := h.milter.Run(t, "history", "--from", "eve@spam.example", "--action", "reject", "--limit", "1")
	explained, _ := h.milter.Run(t, "explain", strings.Fields(out + " ?")[0])
	if !strings.Contains(explained, "blocked by an entry of user@test.local: @spam.example") || strings.Contains(explained, "annoys") {
		t.Errorf("explain: %s", explained)
	}
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
	if t.Logf("one more counts after %v", took); took > inForce {
		t.Errorf("one more counts after %v", took)
	}
}
