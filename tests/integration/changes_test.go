package integration

import (
	"net/mail"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
)

const changeRules = `
[[rule]]
name = "mark"
from = ["tag@example.org"]
tag = "{Mark}"

[[rule]]
name = "note"
from = ["header@example.org"]
headers = { X-Seen = "by {rule}", X-Answer = "forty-two" }

[[rule]]
name = "copy"
from = ["copy@example.org"]
copy = ["archive@test.local"]

[[rule]]
name = "elsewhere"
from = ["redirect@example.org"]
action = "deliver"
redirect = ["admin@test.local"]

[[rule]]
name = "not for b"
to = ["b@test.local"]
when = ["attachment/*"]
action = "reject"

[[rule]]
name = "a takes anything"
to = ["a@test.local"]
when = ["attachment/*"]
action = "deliver"
`

// Every kind of change, as it arrives. What is not changed is as it was.
func TestChanges(t *testing.T) { onEachMTA(t, changeRules, testChanges) }

func testChanges(t *testing.T, h *house) {
	t.Run("subject", func(t *testing.T) {
		m := from("tag")
		want := strings.Replace(asDelivered(m.Data), "Subject: clean", "Subject: {Mark} clean", 1)
		if d := h.deliver(t, m, 1)[0]; !strings.HasSuffix(string(d.Mail), want) {
			t.Errorf("arrived:\n%s\nwant at its end:\n%s", d.Mail, want)
		}
	})
	t.Run("subject that is not there", func(t *testing.T) {
		m := from("tag")
		m.Data = []byte(strings.Replace(string(m.Data), "Subject: clean tag\r\n", "", 1))
		d := h.deliver(t, m, 1)[0]
		if got := fields(t, d)["Subject"]; !slices.Equal(got, []string{"{Mark}"}) {
			t.Errorf("Subject fields %q:\n%s", got, d.Mail)
		}
	})
	t.Run("header fields on top", func(t *testing.T) {
		m := from("header")
		d := h.deliver(t, m, 1)[0]
		if !strings.HasSuffix(string(d.Mail), asDelivered(m.Data)) {
			t.Errorf("the rest of the mail was changed:\n%s", d.Mail)
		}
		if got := fields(t, d); len(got["X-Seen"]) != 1 || !slices.Equal(got["X-Answer"], []string{"forty-two"}) {
			t.Errorf("fields %q:\n%s", got, d.Mail)
		}
		if at := strings.Index(string(d.Mail), "X-Answer: forty-two\n"); at < 0 || at > strings.Index(string(d.Mail), "From:") {
			t.Errorf("the field stands at %d, not above the mail's own:\n%s", at, d.Mail)
		}
	})
	t.Run("recipient added", func(t *testing.T) {
		h.wantRecipients(t, from("copy"), "archive@test.local", "user@test.local")
	})
	t.Run("recipient replaced", func(t *testing.T) {
		h.wantRecipients(t, from("redirect"), "admin@test.local")
	})
	t.Run("recipient dropped", func(t *testing.T) {
		m := program()
		m.To = []string{"a@test.local", "b@test.local"}
		h.wantRecipients(t, m, "a@test.local")
	})
	t.Run("all recipients refuse", func(t *testing.T) {
		m := program()
		m.To = []string{"b@test.local", "user@test.local"}
		h.mta.Mailbox().Clear()
		wantReply(t, "program for two who refuse it", h.send(m), 550)
	})
}

// deliver sends a mail that is to be accepted and delivered n times.
func (h *house) deliver(t *testing.T, m servers.Mail, n int) []servers.Delivered {
	t.Helper()
	h.mta.Mailbox().Clear()
	if r := h.send(m); r.Code != 250 {
		t.Fatalf("the client heard %v", r)
	}
	h.mta.Settle(t)
	got := h.mta.Mailbox().Await(t, n)
	if len(got) != n {
		t.Fatalf("delivered %d times, not %d", len(got), n)
	}
	return got
}

func (h *house) wantRecipients(t *testing.T, m servers.Mail, want ...string) {
	t.Helper()
	var got []string
	for _, d := range h.deliver(t, m, len(want)) {
		got = append(got, d.Recipient)
		if !unchanged(d, m.Data) {
			t.Errorf("the mail was changed:\n%.2000s", d.Mail)
		}
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("delivered to %q, not to %q", got, want)
	}
}

func fields(t *testing.T, d servers.Delivered) mail.Header {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(string(d.Mail)))
	if err != nil {
		t.Fatalf("%v in what arrived:\n%s", err, d.Mail)
	}
	return m.Header
}
