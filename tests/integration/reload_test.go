package integration

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/tests/integration/servers"
)

// edition is a configuration that leaves its number in four places of a mail.
func edition(n int) string {
	return fmt.Sprintf(`
[[rule]]
name = "edition %[1]d"
headers = { X-First = "edition %[1]d", X-Second = "edition %[1]d" }
tag = "{edition %[1]d}"

[[rule]]
name = "copy of edition %[1]d"
copy = ["edition%[1]d@test.local"]

[[rule]]
name = "refused in edition %[1]d"
from = ["reject@example.org"]
action = "reject"
reply = "550 5.7.1 Refused in edition %[1]d"
`, n)
}

// Configurations change 50 times a second while mail passes: each message is
// judged by one of them from its beginning to its end, and none is lost.
func TestReloadUnderLoad(t *testing.T) {
	h := newHouse(t, edition(1))
	n := 300
	if long() {
		n = 2000
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { h.keepReloading(t, stop) })
	tr := h.traffic(n, 8, everyTenthRefused)
	if long() {
		h.minuteOfTraffic(tr)
	}
	close(stop)
	wg.Wait()
	h.mta.Settle(t)
	h.wantOneEditionEach(t, tr)
	h.wantOneGenerationEach(t, tr)
}

// keepReloading writes one edition after the other and tells milterscan.
func (h *house) keepReloading(t *testing.T, stop <-chan struct{}) {
	every := time.NewTicker(time.Second / 50)
	defer every.Stop()
	for i := 2; ; i++ {
		select {
		case <-stop:
			return
		case <-every.C:
			h.milter.Configure(t, asking(h.engine, edition(i%9+1)))
			h.milter.Reload()
		}
	}
}

// minuteOfTraffic goes on until a minute of reloads is over.
func (h *house) minuteOfTraffic(tr *traffic) {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		h.insist(tr, everyTenthRefused, tr.sent.Add(1))
	}
}

func everyTenthRefused(mark string) servers.Mail {
	m := clean(mark)
	if strings.HasSuffix(mark, "0.") {
		m.From = "reject@example.org"
	}
	return m
}

// wantOneEditionEach checks that every mail was accepted and delivered, to its
// recipient and to that of one edition, or refused by one edition.
func (h *house) wantOneEditionEach(t *testing.T, tr *traffic) {
	t.Helper()
	for _, r := range tr.others {
		if !strings.Contains(r.Text, "Refused in edition") {
			t.Errorf("a client heard %v", r)
		}
	}
	copies := map[string]int{}
	for _, d := range h.mta.Mailbox().All() {
		text := string(d.Mail)
		_, rest, _ := strings.Cut(text, "Subject: {edition ")
		number, rest, _ := strings.Cut(rest, "} clean ")
		mark, _, _ := strings.Cut(rest, "\n")
		if strings.Count(text, "edition "+number) != 3 || strings.Count(text, "edition ") != 3 {
			t.Errorf("%q was judged by several editions:\n%s", mark, text)
		}
		if d.Recipient != "user@test.local" && d.Recipient != "edition"+number+"@test.local" {
			t.Errorf("%q of edition %s went to %s", mark, number, d.Recipient)
		}
		copies[mark]++
	}
	for mark := range tr.accepted {
		if copies[mark] != 2 {
			t.Errorf("%q was accepted and arrived %d times, not twice", mark, copies[mark])
		}
	}
	if len(copies) != len(tr.accepted) {
		t.Errorf("%d mails arrived and %d were accepted", len(copies), len(tr.accepted))
	}
}

// wantOneGenerationEach checks that the log has one line for each message, with
// one generation, and that there was more than one generation.
func (h *house) wantOneGenerationEach(t *testing.T, tr *traffic) {
	t.Helper()
	generations := map[any]bool{}
	var lines []map[string]any
	sent := len(tr.accepted) + len(tr.others)
	servers.Await(t, "a line of the log for each message", func() bool {
		lines = h.milter.Lines(t, "message")
		return len(lines) >= sent
	})
	for _, l := range lines {
		if g, ok := l["generation"].(float64); !ok || g < 1 {
			t.Errorf("a line of the log names no generation: %v", l)
		}
		generations[l["generation"]] = true
	}
	if len(lines) != sent {
		t.Errorf("the log has %d lines for %d messages", len(lines), sent)
	}
	if len(generations) < 3 {
		t.Errorf("only %d generations judged mail", len(generations))
	}
	t.Logf("%d messages, %d refused, judged by %d generations", len(lines), len(tr.others), len(generations))
}

// A broken file changes nothing, and the log says what is wrong with it.
func TestReloadOfBrokenFile(t *testing.T) {
	h := newHouse(t, edition(1))
	for _, broken := range []string{"profil = \"default\"\n", "[[rule]\n", edition(2) + "\n[limits]\ntime = 5\n"} {
		before := strings.Count(h.milter.Output(), "the old one stays")
		h.milter.Configure(t, broken)
		h.milter.Reload()
		servers.Await(t, "the log to say so", func() bool {
			return strings.Count(h.milter.Output(), "the old one stays") > before
		})
		d := h.deliver(t, clean("broken"), 2)[0]
		if !strings.Contains(string(d.Mail), "Subject: {edition 1} clean") {
			t.Errorf("after %q arrived:\n%s", broken, d.Mail)
		}
	}
	h.milter.Configure(t, asking(h.engine, edition(3)))
	h.milter.Reload()
	servers.Await(t, "the new file to be used", func() bool {
		return strings.Contains(h.milter.Output(), "configuration reloaded")
	})
	if d := h.deliver(t, clean("mended"), 2)[0]; !strings.Contains(string(d.Mail), "Subject: {edition 3} clean") {
		t.Errorf("after mending arrived:\n%s", d.Mail)
	}
}
