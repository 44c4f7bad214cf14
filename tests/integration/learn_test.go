package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
)

// learning is a configuration in which rspamd and SpamAssassin are asked and learn, and spam is kept.
func learning(t *testing.T, rspamd *servers.Rspamd, spamd *servers.Spamd) string {
	t.Helper()
	secret := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(secret, []byte(servers.RspamdPassword+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`
[local]
domains = ["test.local"]

[spam]
learn_released = true

[spam.rspamd]
address = [%q]
controller = %q
controller_password_file = %q

[spam.spamassassin]
address = ["tcp:%s"]
learn = true

[[rule]]
name = "spam"
when = ["score >= 5"]
action = "quarantine"
`, rspamd.URL, rspamd.Controller, secret, spamd.Addr)
}

// letterOf returns a mail with a text of its own, from which scorers can learn.
func letterOf(subject, text string) servers.Mail {
	m := letter(sample.Plain(subject, text))
	m.To = []string{"user@test.local"}
	return m
}

// TestLearn: real scorers learn what a kept message is, once, change their minds once, and learn from a release and from a
// file; SpamAssassin knows the next one of its kind.
func TestLearn(t *testing.T) {
	needServers(t)
	rspamd, spamd := servers.StartRspamd(t), servers.StartSpamd(t)
	h := newHouse(t, "")
	h.milter.Configure(t, asking(h.engine, fmt.Sprintf("[submission]\nvia = \"smtp:%s\"\n", h.mta.SMTP())+learning(t, rspamd, spamd)))
	h.milter.Stop()
	h.milter.Start(t)
	pills := "milterscan-test-spam\r\nCheap pills for everyone, buy them now and lose weight within three days, the offer ends tomorrow so hurry and click."
	wantReply(t, "spam", h.send(letterOf("offer", pills)), 250)
	wantReply(t, "another", h.send(letterOf("newsletter", "milterscan-test-spam\r\nDear reader, our garden club meets on Tuesday to plant tulips, roses and the old apple tree; "+
		"please bring gloves and a spade, and tell your neighbours.")), 250)
	ids := map[string]string{}
	out, _ := h.milter.Run(t, "quarantine list", "--limit", "0")
	for line := range strings.Lines(out) {
		id, _, _ := strings.Cut(line, " ")
		for _, subject := range []string{"offer", "newsletter"} {
			if strings.Contains(line, subject) {
				ids[subject] = id
			}
		}
	}
	if len(ids) != 2 {
		t.Fatalf("kept: %s", out)
	}
	learn := func(want string, status int, args ...string) {
		t.Helper()
		var out string
		var got int
		servers.Await(t, "rspamd to open its own file", func() bool { // its processes may keep it from each other for a while
			out, got = h.milter.Run(t, "learn", args...)
			return !strings.Contains(out, "database is locked")
		})
		if got != status || !strings.Contains(out, want) {
			t.Errorf("learn %v: status %d, %s; want %d and %q", args, got, out, status, want)
		}
	}
	learn("learned as spam", 0, "spam", ids["offer"])
	learn("told so before", 2, "spam", ids["offer"])
	if out, status := h.milter.Run(t, "quarantine release", ids["newsletter"]); status != 0 {
		t.Errorf("release: %d %s", status, out)
	}
	file := filepath.Join(t.TempDir(), "friend.eml")
	text := sample.Plain("minutes", "Dear colleague, the minutes of our meeting on Tuesday are attached, please read them before the next session in June.")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	learn(file+": learned as ham", 0, "ham", file)
	learn("learned as ham", 0, "ham", file) // which the scorers know themselves
	learn("no such message", 1, "ham", "06h08cfwgrgb9999")
	log := rspamd.Log()
	if spam, ham := strings.Count(log, "learned message as spam: "), strings.Count(log, "learned message as ham: "); spam != 1 || ham != 2 {
		t.Errorf("rspamd has learned %d and %d messages; want 1 and 2", spam, ham)
	}
	wantBayes(t, h, "BAYES_99", strings.TrimPrefix(pills, "milterscan-test-spam\r\n"))
	wantBayes(t, h, "BAYES_00", "Dear reader, our garden club meets on Tuesday to plant tulips, roses and the old apple tree; please bring gloves and a spade.")

	learn("learned as ham", 0, "ham", ids["offer"])
	learn("not told a third time", 2, "spam", ids["offer"])
	out, _ = h.milter.Run(t, "quarantine show", ids["offer"])
	if strings.Count(out, "learned by ") != 2 {
		t.Errorf("the events do not tell: %s", out)
	}

	rspamd.Stop()
	learn("have not learned it", 2, "spam", ids["newsletter"])
	rspamd.Start(t)
	learn("learned as spam", 0, "spam", ids["newsletter"])
}

// wantBayes wants SpamAssassin to judge a text by what it has learned.
func wantBayes(t *testing.T, h *house, rule, text string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "next.eml")
	if err := os.WriteFile(file, sample.Plain("next", text), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, _ := h.milter.Run(t, "scan", file); !strings.Contains(out, "spam/sa/"+rule) {
		t.Errorf("no %s: %s", rule, out)
	}
}
