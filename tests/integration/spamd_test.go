package integration

import (
	"fmt"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
)

// scoring is a configuration in which SpamAssassin is asked, and mail to users of
// one domain is refused or marked for its score.
func scoring(s *servers.Spamd) string {
	return fmt.Sprintf(`
[local]
domains = ["test.local", "nospam.local"]

[spam.spamassassin]
address = ["tcp:%s"]
timeout = "5s"

[[rule]]
name = "spam"
when = ["score >= 5"]
to = ["@test.local"]
action = "reject"

[[rule]]
name = "what SpamAssassin says"
when = ["spam/spamassassin"]
to = ["@test.local"]
headers = { X-Spam-Report = "{detail}" }
`, s.Addr)
}

func spam(to string) servers.Mail {
	m := letter(sample.Plain("offer", "milterscan-test-spam\r\nBuy it."))
	m.To = []string{to}
	return m
}

// SpamAssassin's score decides where a rule says so, it is told who the client is,
// and it is not asked where nobody wants to know.
func TestSpamAssassin(t *testing.T) {
	needServers(t)
	s := servers.StartSpamd(t)
	h := newHouse(t, scoring(s), "virtual_mailbox_domains = test.local, nospam.local")
	wantReply(t, "spam", h.send(spam("user@test.local")), 550)
	wantReply(t, "ham", h.send(clean("ham")), 250)
	if n := s.Asked(); n != 2 {
		t.Errorf("asked about %d mails, not 2", n)
	}
	h.mta.Settle(t)
	all := h.mta.Mailbox().All()
	if len(all) != 1 || !strings.Contains(string(all[0].Mail), "X-Spam-Report: 0.2 of 5: LOCAL_CLIENT, LOCAL_SENDER\n") {
		t.Errorf("delivered: %q", all)
	}
	h.milter.Says(t, "spam/sa/LOCAL_TEST", "spam/sa/LOCAL_CLIENT", "spam/sa/LOCAL_SENDER")
	wantReply(t, "spam for one who wants no score", h.send(spam("user@nospam.local")), 250)
	if n := s.Asked(); n != 2 {
		t.Errorf("asked about %d mails, not 2: nobody wanted to know", n)
	}
}

// Without spamd, and with one that hangs, mail is delivered unscored.
func TestSpamAssassinAway(t *testing.T) {
	needServers(t)
	s := servers.StartSpamd(t)
	h := newHouse(t, scoring(s))
	s.Pause()
	wantReply(t, "spam while spamd hangs", h.send(spam("user@test.local")), 250)
	s.Resume()
	s.Stop()
	wantReply(t, "spam without spamd", h.send(spam("user@test.local")), 250)
	s.Start(t)
	wantReply(t, "spam with spamd again", h.send(spam("user@test.local")), 550)
	h.milter.Says(t, "spam/failed/spamassassin")
}
