package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
)

// wishes are what recipients want done with a program: the user part of their
// addresses, and what the rule for them says.
var wishes = []struct{ user, does string }{
	{"deliver", `action = "deliver"`},
	{"tempfail", `action = "tempfail"`},
	{"hold", `action = "hold"`},
	{"discard", `action = "quarantine"`},
	{"reject", `action = "reject"` + "\nkeep = true"},
}

// wishRules are the rules for all of them.
func wishRules() string {
	var b strings.Builder
	for _, w := range wishes {
		fmt.Fprintf(&b, "\n[[rule]]\nname = %q\nto = [\"%s-a@test.local\", \"%s-b@test.local\"]\nwhen = [\"forbidden\"]\n%s\n", w.user, w.user, w.user, w.does)
	}
	return b.String()
}

// outcome is what became of one mail to two.
type outcome struct {
	code int      // the client heard
	held bool     // in the MTA's queue
	got  []string // who got it, at once or when it was let go
	kept int      // copies in the quarantine
}

// settled is the answer SMTP allows to the wishes of two: docs/policy.md, "Several
// recipients".
func settled(a, b string) outcome {
	wants := func(wish string) bool { return a == wish || b == wish }
	o := outcome{code: 250, held: wants("hold")}
	switch {
	case wants("tempfail"):
		return outcome{code: 451}
	case a == "reject" && b == "reject":
		o.code = 550
	}
	for _, to := range []string{a + "-a", b + "-b"} {
		if user, _, _ := strings.Cut(to, "-"); user == "deliver" || user == "hold" {
			o.got = append(o.got, to+"@test.local")
		}
	}
	slices.Sort(o.got)
	if wants("discard") || wants("reject") {
		o.kept = 1
	}
	return o
}

// The wishes of two recipients, each with each: what the client hears, who gets
// what, and what is kept.
func TestTwoRecipients(t *testing.T) {
	h, _ := newVault(t, wishRules())
	var table strings.Builder
	for _, a := range wishes {
		for _, b := range wishes {
			got := h.toTwo(t, a.user, b.user)
			fmt.Fprintf(&table, "%-8s %-8s  %d held %-5v kept %d, delivered to %v\n", a.user, b.user, got.code, got.held, got.kept, got.got)
			if want := settled(a.user, b.user); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s, %s: %+v, want %+v", a.user, b.user, got, want)
			}
		}
	}
	t.Logf("first    second\n%s", &table)
	h.wantNotices(t)
}

// toTwo sends a program to two and looks at everything.
func (h *house) toTwo(t *testing.T, a, b string) outcome {
	t.Helper()
	before := len(h.list(t, "--limit", "0"))
	m := program()
	m.To = []string{a + "-a@test.local", b + "-b@test.local"}
	o := outcome{code: h.send(m).Code}
	held := h.mta.Held(t)
	o.held = len(held) > 0
	for _, id := range held {
		h.mta.Release(t, id)
	}
	h.mta.Settle(t)
	for _, d := range h.mta.Mailbox().All() {
		if !strings.Contains(string(d.Mail), "\nAuto-Submitted:") && slices.Contains(m.To, d.Recipient) && strings.Contains(string(d.Mail), "setup.exe") {
			o.got = append(o.got, d.Recipient)
		}
	}
	slices.Sort(o.got)
	h.clearOfMail()
	o.kept = len(h.list(t, "--limit", "0")) - before
	return o
}

// clearOfMail empties the mailbox but for notices.
func (h *house) clearOfMail() {
	for _, d := range h.mta.Mailbox().All() {
		if !isNotice(d) {
			h.mta.Mailbox().Remove(d)
		}
	}
}

func isNotice(d servers.Delivered) bool {
	return strings.Contains(string(d.Mail), "\nAuto-Submitted: auto-generated\n")
}

// wantNotices waits for those to whom nobody else could say that their mail was
// refused.
func (h *house) wantNotices(t *testing.T) {
	t.Helper()
	told := map[string]string{}
	servers.Await(t, "notices", func() bool {
		for _, d := range h.mta.Mailbox().All() {
			told[d.Recipient] = string(d.Mail)
		}
		return len(told) >= 2
	})
	for _, to := range []string{"reject-a@test.local", "reject-b@test.local"} {
		for _, word := range []string{"an attachment is of a kind that is not accepted", "setup.exe", "sender@example.org", "in the quarantine", "not delivered"} {
			if !strings.Contains(unfolded(told[to]), word) {
				t.Errorf("%s was told nothing of %q:\n%s", to, word, told[to])
			}
		}
		if strings.Contains(told[to], "X-Milterscan") {
			t.Errorf("a notice arrived with what let it through:\n%s", told[to])
		}
	}
}

// unfolded undoes the soft line ends of quoted-printable.
func unfolded(mail string) string { return strings.ReplaceAll(mail, "=\n", "") }
