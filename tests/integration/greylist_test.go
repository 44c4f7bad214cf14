package integration

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/milterscan/milterscan/tests/integration/servers"
)

// greylistDelay is short enough to wait for, and long enough for a test to try
// again before it is over.
const greylistDelay = 3 * time.Second

// greylisting is the section [greylist] with a database of its own.
func greylisting(t *testing.T) string {
	return fmt.Sprintf("[greylist]\nenabled = true\nfile = %q\ndelay = \"%v\"\nauto_allow = 2\n\n", filepath.Join(t.TempDir(), "greylist.db"), greylistDelay)
}

// from tries to send to one recipient, as a client of another address.
func (h *house) from(t *testing.T, client, to string) servers.Reply {
	t.Helper()
	c := h.as(t, "ADDR="+client)
	defer c.Quit()
	return c.Send(servers.Mail{From: "sender@example.org", To: []string{to}, Data: clean("greylisted").Data})
}

func TestGreylisting(t *testing.T) {
	needServers(t)
	h := newHouse(t, ours+greylisting(t)+"[[rule]]\nname = \"impatient\"\nto = [\"now@test.local\"]\naction = \"deliver\"\n", open)
	putOff := func(what string, r servers.Reply) { t.Helper(); wantReply(t, what, r, 451, "4.7.1", "try again") }
	putOff("the first try", h.from(t, "192.0.2.1", "user@test.local"))
	putOff("another recipient", h.from(t, "192.0.2.1", "other@test.local"))
	putOff("at once", h.from(t, "192.0.2.2", "user@test.local"))
	wantReply(t, "a recipient with a rule", h.from(t, "192.0.2.1", "now@test.local"), 250)
	wantReply(t, "our own", h.from(t, "127.0.0.1", "user@test.local"), 250)

	h.milter.Kill() // what it has seen is not forgotten
	h.milter.Start(t)
	servers.Await(t, "the time to be over", func() bool { return h.from(t, "192.0.2.1", "user@test.local").Code == 250 })
	servers.Await(t, "the time of the other recipient to be over", func() bool { return h.from(t, "192.0.2.7", "other@test.local").Code == 250 })
	wantReply(t, "a client that came back twice", h.from(t, "192.0.2.1", "third@test.local"), 250)
	putOff("another client", h.from(t, "192.0.3.1", "third@test.local"))
}

// TestGreylistLetsThrough has one sender let through at the next try, from whatever client, and another by an entry
// of a list, whoever it is put off for else.
func TestGreylistLetsThrough(t *testing.T) {
	needServers(t)
	h := newHouse(t, ours+greylisting(t), open)
	putOff := func(what string, r servers.Reply) { t.Helper(); wantReply(t, what, r, 451, "4.7.1", "try again") }
	putOff("the first try", h.from(t, "192.0.2.1", "user@test.local"))
	if out, status := h.milter.Run(t, "greylist pass", "Sender@Example.org", "user@test.local"); status != 0 {
		t.Fatalf("status %d, %s", status, out)
	}
	wantReply(t, "from another client", h.from(t, "198.51.100.1", "user@test.local"), 250)
	putOff("for another recipient", h.from(t, "198.51.100.1", "other@test.local"))
	h.lists(t, "add", "allow", "--for", "third@test.local", "@example.org")
	servers.Await(t, "the entry to count", func() bool { return h.from(t, "203.0.113.1", "third@test.local").Code == 250 })
	putOff("for one who has not allowed the sender", h.from(t, "203.0.113.1", "other@test.local"))
}

// One recipient is known, and another not: each is answered for himself.
func TestGreylistingOfOneRecipient(t *testing.T) {
	needServers(t)
	h := newHouse(t, greylisting(t)+"[[rule]]\nname = \"impatient\"\nto = [\"now@test.local\"]\naction = \"deliver\"\n", open)
	c := h.as(t, "ADDR=192.0.2.1")
	wantReply(t, "MAIL", c.Cmd("MAIL FROM:<sender@example.org>"), 250)
	wantReply(t, "one with a rule", c.Cmd("RCPT TO:<now@test.local>"), 250)
	wantReply(t, "one without", c.Cmd("RCPT TO:<user@test.local>"), 451)
	wantReply(t, "the message", c.Data(clean("one").Data), 250)
	if d := h.mta.Mailbox().One(t); d.Recipient != "now@test.local" {
		t.Errorf("delivered to %s", d.Recipient)
	}
}

// Without a place to remember anything mail goes on, and the log says why.
func TestGreylistThatIsGone(t *testing.T) {
	needServers(t)
	broken := "[greylist]\nenabled = true\nfile = \"/dev/null/greylist.db\"\n\n"
	h := newHouse(t, broken, open)
	wantReply(t, "by default", h.from(t, "192.0.2.1", "user@test.local"), 250)
	if got := h.found(t); len(got) != 1 || got[0] != "greylist/failed" {
		t.Errorf("found %v", got)
	}
	h = newHouse(t, broken+"[[rule]]\nname = \"patience\"\nwhen = [\"greylist/failed\"]\naction = \"tempfail\"\n", open)
	wantReply(t, "by a rule", h.from(t, "192.0.2.1", "user@test.local"), 451)
}
