package integration

import (
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
)

const adminRules = `
[local]
domains = ["test.local"]
networks = ["127.0.0.0/8"]
[[rule]]
name = "the boss's programs to the administrator"
to = ["boss@test.local"]
when = ["forbidden"]
action = "deliver"
redirect = ["admin@test.local"]
tag = "{Program!}"
[[rule]]
name = "tell of programs"
when = ["forbidden"]
action = "reject"
notify = ["admin@test.local", "noc@elsewhere.example"]
`

// Mail is forwarded to the administrator instead of its recipients, and
// administrators are told in their language what was refused.
func TestAdministrators(t *testing.T) {
	h, _ := newVault(t, adminRules)
	m := program()
	m.To = []string{"boss@test.local"}
	wantReply(t, "a program for the boss", h.send(m), 250)
	d := h.mta.Mailbox().One(t)
	if d.Recipient != "admin@test.local" || !strings.Contains(string(d.Mail), "Subject: {Program!} setup") {
		t.Errorf("to %s was forwarded\n%s", d.Recipient, d.Mail)
	}
	h.clearOfMail()
	wantReply(t, "a program", h.send(program()), 550)
	told := map[string]string{}
	servers.Await(t, "notices", func() bool {
		for _, d := range h.mta.Mailbox().All() {
			told[d.Recipient] = unfolded(string(d.Mail))
		}
		return len(told) == 2
	})
	for to, notice := range told {
		for _, word := range []string{"\nAuto-Submitted: auto-generated\n", "reject", "tell of programs", "attachment/", "setup.exe", "sender@example.org", "user@test.local"} {
			if !strings.Contains(notice, word) {
				t.Errorf("%s was told nothing of %q:\n%s", to, word, notice)
			}
		}
	}
	if !strings.Contains(told["admin@test.local"], "Subject: ") || told["noc@elsewhere.example"] == "" {
		t.Errorf("told: %v", told)
	}
}

// Under attack an administrator gets one notice at once, and one for the rest
// later, even if milterscan is killed meanwhile.
func TestNoticesSurvive(t *testing.T) {
	h, dir := newVault(t, adminRules)
	wantReply(t, "a program", h.send(program()), 550)
	h.mta.Mailbox().Await(t, 2)
	for range 20 {
		wantReply(t, "a program", h.send(program()), 550)
	}
	h.milter.Kill()
	h.milter.Configure(t, strings.Replace(h.vault(dir, h.mta.SMTP()), "[notices]\n", "[notices]\nevery = \"1s\"\n", 1)+adminRules)
	h.milter.Start(t)
	servers.Await(t, "the rest", func() bool { return h.mta.Mailbox().Count() >= 4 })
	most := 0
	for _, d := range h.mta.Mailbox().All() {
		if d.Recipient == "admin@test.local" {
			most = max(most, strings.Count(unfolded(string(d.Mail)), "\nId: "))
		}
	}
	if n := h.mta.Mailbox().Count(); n != 4 || most != 20 {
		t.Errorf("%d notices, the longest about %d mails", n, most)
	}
}

const concernedRules = `
[local]
domains = ["test.local"]
networks = ["127.0.0.0/8"]
[[rule]]
name = "programs are kept"
when = ["forbidden"]
action = "quarantine"
notify = ["recipients", "sender-if-internal"]
`

// The recipients of quarantined mail are told of it, each of their own copy, and those
// elsewhere are not; the postmaster sends the message on by the id in the notice.
func TestRecipientsAreTold(t *testing.T) {
	onEachMTA(t, "", func(t *testing.T, h *house) {
		h.makeVault(t, concernedRules)
		m := program()
		m.From, m.To = "boss@test.local", []string{"user@test.local", "admin@test.local", "friend@elsewhere.example"}
		wantReply(t, "a program", h.send(m), 250)
		told := map[string]string{}
		servers.Await(t, "notices", func() bool {
			for _, d := range h.mta.Mailbox().All() {
				told[d.Recipient] = unfolded(string(d.Mail))
			}
			return len(told) == 3
		})
		h.mta.Settle(t)
		if n := h.mta.Mailbox().Count(); n != 3 {
			t.Errorf("%d notices, to %v", n, told)
		}
		id := h.list(t)[0].ID
		for _, to := range []string{"user@test.local", "admin@test.local"} {
			wantWords(t, to, told[to], "\nAuto-Submitted: auto-generated\n", "To: <"+to+">", "setup.exe", "Copy: in the quarantine", "told nothing", "Id: "+id)
		}
		if others := strings.Count(told["user@test.local"], "admin@test.local"); others > 0 {
			t.Errorf("a recipient is told of another:\n%s", told["user@test.local"])
		}
		wantWords(t, "the sender", told["boss@test.local"], "To: <user@test.local>", "To: <admin@test.local>", "To: <friend@elsewhere.example>")
		if told["friend@elsewhere.example"] != "" {
			t.Error("a stranger was told")
		}
		h.mta.Mailbox().Clear()
		if out, status := h.milter.Run(t, "quarantine release", id, "--to", "user@test.local"); status != 0 {
			t.Fatalf("release: status %d, %s", status, out)
		}
		if d := h.mta.Mailbox().One(t); d.Recipient != "user@test.local" || !unchangedButReleased(d, m.Data) {
			t.Errorf("to %s was released\n%s", d.Recipient, d.Mail)
		}
	})
}

func wantWords(t *testing.T, who, notice string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(notice, word) {
			t.Errorf("%s was told nothing of %q:\n%s", who, word, notice)
		}
	}
}
