package integration

import (
	"fmt"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/fakes"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// asksRspamd is a configuration in which rspamd is asked, and mail is refused for what it
// would do, or marked with what it says.
func asksRspamd(address string) string {
	return fmt.Sprintf(`
[local]
domains = ["test.local"]

[spam.rspamd]
address = [%q]
timeout = "5s"

[[rule]]
name = "as rspamd would"
when = ["spam/rspamd-action/reject"]
requires = ["spam/rspamd >= 15"]
action = "reject"

[[rule]]
name = "what rspamd says"
when = ["spam/rspamd/LOCAL_ENVELOPE"]
headers = { X-Spam-Report = "{detail}" }
`, address)
}

// What rspamd would do decides where a rule says so, and it is told what the MTA knows.
func TestRspamd(t *testing.T) {
	needServers(t)
	s := servers.StartRspamd(t)
	for _, address := range []string{s.URL, s.Socket} {
		h := newHouse(t, asksRspamd(address))
		wantReply(t, "spam", h.send(spam("user@test.local")), 550)
		wantReply(t, "ham", h.send(clean("ham")), 250)
		h.mta.Settle(t)
		all := h.mta.Mailbox().All()
		want := "from=sender@example.org;to=user@test.local;number=1;ip=127."
		if len(all) != 1 {
			t.Fatalf("delivered: %q", all)
		}
		told := strings.Join(strings.Fields(string(all[0].Mail)), "")
		for _, want := range []string{want, ";helo=client.test.local;queue=true;deliver=user@test.local"} {
			if !strings.Contains(told, want) {
				t.Errorf("rspamd was told %q, without %q", told, want)
			}
		}
		h.milter.Says(t, "17.5 of 15, reject: LOCAL_TEST=17.5")
	}
}

// A thousand recipients, and names as no client has them, keep no mail from being scored.
func TestRspamdEnvelopes(t *testing.T) {
	needServers(t)
	h := newHouse(t, asksRspamd(servers.StartRspamd(t).URL))
	m := spam("user@test.local")
	m.To = nil
	for i := range 900 {
		m.To = append(m.To, fmt.Sprintf("%s%d@test.local", strings.Repeat("long", 10), i))
	}
	m.From = ""
	wantReply(t, "spam from the null sender to many", h.send(m), 550)
}

// Without rspamd, and with one that hangs, mail is delivered unscored; both scorers stand
// side by side.
func TestRspamdAway(t *testing.T) {
	needServers(t)
	s := servers.StartRspamd(t)
	other := (&fakes.Spamd{Spam: "milterscan-test-spam"}).Start(t)
	h := newHouse(t, asksRspamd(s.URL)+fmt.Sprintf(`
[[rule]]
name = "the other says spam"
when = ["spam/spamassassin >= 7"]
headers = { X-Other = "{score}" }

[spam.spamassassin]
address = [%q]
`, other))
	s.Pause()
	wantReply(t, "spam while rspamd hangs", h.send(spam("user@test.local")), 250)
	s.Resume()
	s.Stop()
	wantReply(t, "spam without rspamd", h.send(spam("user@test.local")), 250)
	h.mta.Settle(t)
	for _, m := range h.mta.Mailbox().All() {
		if !strings.Contains(string(m.Mail), "X-Other: 7.5\n") {
			t.Errorf("delivered: %s", m.Mail)
		}
	}
	s.Start(t)
	wantReply(t, "spam with rspamd again", h.send(spam("user@test.local")), 550)
	h.milter.Says(t, "spam/failed/rspamd", "check or store does not answer", `"score":17.5`) // the higher one of both
}
