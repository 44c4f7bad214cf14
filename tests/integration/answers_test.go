package integration

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
)

const answerRules = `
[[rule]]
name = "away with it"
from = ["reject@example.org"]
action = "reject"
reply = "554 5.7.1 Not 100% welcome"

[[rule]]
name = "later"
from = ["tempfail@example.org"]
action = "tempfail"
reply = "451 4.7.1 Come back later"

[[rule]]
name = "hole"
from = ["discard@example.org"]
action = "discard"

[[rule]]
name = "look at it"
from = ["hold@example.org"]
action = "hold"
`

// Every answer there is, as the SMTP client hears it and as the mailbox shows it.
func TestAnswers(t *testing.T) { onEachMTA(t, answerRules, testAnswers) }

func testAnswers(t *testing.T, h *house) {
	for _, c := range []struct {
		name  string
		mail  servers.Mail
		code  int
		words []string
		mails int // delivered
		held  int
	}{
		{name: "deliver", mail: clean("a"), code: 250, mails: 1},
		{name: "reject", mail: from("reject"), code: 554, words: []string{"5.7.1 Not 100% welcome"}},
		{name: "tempfail", mail: from("tempfail"), code: 451, words: []string{"4.7.1 Come back later"}},
		{name: "discard", mail: from("discard"), code: 250},
		{name: "hold", mail: from("hold"), code: 250, held: 1},
		{name: "virus", mail: infected(), code: 550, words: []string{"5.7.1"}},
		{name: "virus in a zip", mail: letter(sample.Attached("z", sample.Zip("n.zip", sample.EicarFile()))), code: 550},
		{name: "program", mail: letter(sample.Attached("p", sample.Program("invoice.pdf.exe"))), code: 550, words: []string{"invoice.pdf.exe"}},
		{name: "null sender", mail: servers.Mail{To: []string{"user@test.local"}, Data: clean("null").Data}, code: 250, mails: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.mta.Mailbox().Clear()
			before := len(h.mta.Held(t))
			wantReply(t, c.name, h.send(c.mail), c.code, c.words...)
			h.mta.Settle(t)
			got := h.mta.Mailbox().All()
			if len(got) != c.mails {
				t.Errorf("%d mails arrived, not %d", len(got), c.mails)
			}
			if c.mails == 1 && len(got) == 1 && !unchanged(got[0], c.mail.Data) {
				t.Errorf("what arrived is not what was sent:\n%s", got[0].Mail)
			}
			if held := len(h.mta.Held(t)) - before; held != c.held {
				t.Errorf("%d mails are held, not %d", held, c.held)
			}
		})
	}
}

// from is a clean mail from local@example.org.
func from(local string) servers.Mail {
	m := clean(local)
	m.From = local + "@example.org"
	return m
}

// A held mail waits in the MTA's queue and goes on, whole, when it is let go.
func TestHeldMailIsReleased(t *testing.T) { onEachMTA(t, answerRules, testHeldMailIsReleased) }

func testHeldMailIsReleased(t *testing.T, h *house) {
	m := from("hold")
	wantReply(t, "hold", h.send(m), 250)
	h.mta.Settle(t)
	held := h.mta.Held(t)
	if len(held) != 1 || h.mta.Mailbox().Count() != 0 {
		t.Fatalf("held %q, %d delivered; want one mail, held", held, h.mta.Mailbox().Count())
	}
	wantHeld(t, h, "holds 1 message, the oldest since")
	h.mta.Release(t, held[0])
	if d := h.mta.Mailbox().One(t); !strings.HasSuffix(string(d.Mail), asDelivered(m.Data)) {
		t.Errorf("what arrived is not what was sent:\n%s", d.Mail)
	}
}

// wantHeld checks what doctor says of mail in the MTA's queue.
func wantHeld(t *testing.T, h *house, want string) {
	t.Helper()
	mta := []string{"-sendmail", filepath.Join(filepath.Dir(h.mta.MilterSocket()), "../etc/sendmail.cf")}
	if p, ok := h.mta.(*servers.Postfix); ok {
		mta = []string{"-postfix", p.Config()}
	}
	report, _ := h.milter.Run(t, "doctor", append(mta, "-v", "-user", "root")...)
	if !strings.Contains(report, want) {
		t.Errorf("doctor does not say %q:\n%s", want, report)
	}
}

// Mail from programs on the same machine takes the same way.
func TestLocalSubmission(t *testing.T) { onEachMTA(t, "", testLocalSubmission) }

func testLocalSubmission(t *testing.T, h *house) {
	m := clean("from cron")
	h.mta.Submit(t, asDelivered(m.Data), "cron@example.org", "user@test.local")
	if d := h.mta.Mailbox().One(t); d.Sender != "cron@example.org" || !strings.Contains(string(d.Mail), "Nothing to see here.") {
		t.Errorf("from %s arrived:\n%s", d.Sender, d.Mail)
	}
}
