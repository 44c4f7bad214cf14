package integration

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
)

// acquaintance is the section [contact] with a database of its own, and banners.
func acquaintance(t *testing.T) string {
	return fmt.Sprintf(`[contact]
enabled = true
learn = "0s"
file = %q

[[edit.banner]]
name = "stranger"
text = ["You have not had mail from this sender before."]

[[edit.banner]]
name = "stranger-to-some"
text = ["Some who get this mail have not had mail from this sender before."]

[[rule]]
name = "first-contact"
when = ["content/first-contact"]
unless = ["content/reply"]
banner = "stranger"

[[rule]]
name = "first-contact-some"
when = ["content/first-contact-some"]
banner = "stranger-to-some"

`, filepath.Join(t.TempDir(), "contact.db"))
}

// banners are what the recipients of acquaintance read.
var banners = map[string]string{"stranger": "You have not had mail", "some": "Some who get this mail"}

// writes sends a mail of an author, as a client of another address, and returns the banner in it.
func (h *house) writes(t *testing.T, client, from, more string, to ...string) (banner string) {
	t.Helper()
	data := fmt.Sprintf("From: %s\r\nTo: %s\r\nSubject: contact\r\n%s\r\nHello, here I am.\r\n", from, to[0], more)
	h.mta.Mailbox().Clear()
	c := h.as(t, "ADDR="+client)
	defer c.Quit()
	wantReply(t, "a mail of "+from, c.Send(servers.Mail{From: "x@relay.example", To: to, Data: []byte(data)}), 250)
	for _, d := range h.mta.Mailbox().Await(t, len(to)) {
		for name, text := range banners {
			if bytes.Contains(d.Mail, []byte(text)) {
				banner = name
			}
		}
	}
	return banner
}

// TestFirstContact: the first mail of an author has a banner and later ones have none, over a restart; no more
// have answers to mail of ours. Where some know the author, no recipient reads what is not true.
func TestFirstContact(t *testing.T) {
	needServers(t)
	h := newHouse(t, ours+acquaintance(t), open)
	const eve, ann, bob = "Eve <eve@else.example>", "ann@test.local", "bob@test.local"
	if got := h.writes(t, "192.0.2.1", eve, "", ann); got != "stranger" {
		t.Errorf("the first mail has the banner %q", got)
	}
	servers.Await(t, "the author to be known", func() bool { return h.writes(t, "192.0.2.1", eve, "", ann) == "" })
	if got := h.writes(t, "192.0.2.1", eve, "", ann, bob); got != "some" {
		t.Errorf("a mail to one who knows the author and one who does not has the banner %q", got)
	}
	h.milter.Stop()
	h.milter.Start(t)
	for _, to := range []string{ann, bob} {
		if got := h.writes(t, "192.0.2.1", eve, "", to); got != "" {
			t.Errorf("a later mail to %s has the banner %q", to, got)
		}
	}
	h.writes(t, "127.0.0.1", "Bob <bob@test.local>", "Message-ID: <question@test.local>\r\n", ann)
	servers.Await(t, "the question to be known", func() bool {
		return h.writes(t, "192.0.2.1", "Cy <cy@else.example>", "In-Reply-To: <question@test.local>\r\n", bob) == "" &&
			slices.Contains(h.found(t), "content/reply")
	})
	if got := h.writes(t, "192.0.2.1", "Dee <dee@else.example>", "In-Reply-To: <question@test.local>\r\n", ann); got != "stranger" {
		t.Errorf("an answer to another one's mail has the banner %q", got)
	}
}

// TestContactsThatAreGone: without a place to remember anything mail goes on, and the log says why.
func TestContactsThatAreGone(t *testing.T) {
	needServers(t)
	h := newHouse(t, ours+"[contact]\nenabled = true\nfile = \"/dev/null/contact.db\"\n", open)
	if got := h.writes(t, "192.0.2.1", "Eve <eve@else.example>", "", "ann@test.local"); got != "" {
		t.Errorf("it has the banner %q", got)
	}
	if got := h.found(t); !slices.Equal(got, []string{"content/failed/contact"}) {
		t.Errorf("found %v", got)
	}
}
