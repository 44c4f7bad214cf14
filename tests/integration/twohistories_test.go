package integration

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/policy/keep/history/spill"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// subjects returns the subjects of all messages that a host knows of, with the host that wrote each down, in order.
func subjects(t *testing.T, h *house) (list []string) {
	t.Helper()
	out, status := h.milter.Run(t, "history", "--json", "--limit", "0")
	if status != 0 {
		return []string{fmt.Sprintf("status %d: %s", status, out)}
	}
	for line := range strings.Lines(out) {
		var r policy.Record
		if json.Unmarshal([]byte(line), &r) == nil && r.ID != "" {
			list = append(list, strings.TrimPrefix(r.Subject, "clean ")+" by "+r.Host)
		}
	}
	slices.Sort(list)
	return list
}

// waiting returns how many records wait on a host.
func waiting(h *house) int64 {
	n, _, _ := spill.Waiting(filepath.Join(filepath.Dir(h.milter.ConfigFile()), "history.spill"))
	return n
}

// TestHistoryOfBothHosts: each host knows what became of all mail. While the database hangs mail goes on; what became
// of it is known afterwards, none lost and none twice, though a host that held records died in between.
func TestHistoryOfBothHosts(t *testing.T) {
	f := newFleet(t, 2, "")
	one, two := f.houses[0], f.houses[1]
	var want []string
	deliver := func(h *house, name, subject string) {
		t.Helper()
		wantReply(t, subject, h.send(clean(subject)), 250)
		want = append(want, subject+" by "+name)
		slices.Sort(want)
	}
	known := func(what string) {
		t.Helper()
		for _, h := range f.houses {
			eventually(t, what, func() error {
				if got := subjects(t, h); !slices.Equal(got, want) {
					return fmt.Errorf("known are %q; want %q", got, want)
				}
				return nil
			})
		}
	}
	deliver(one, "mx1", "lunch")
	deliver(two, "mx2", "dinner")
	known("what both hosts had")
	out, status := two.milter.Run(t, "explain", subjectID(t, two, "lunch"))
	if status != 0 || !strings.Contains(out, "clean lunch") || !strings.Contains(out, "recorded by: mx1") {
		t.Errorf("explain on the other host: %d, %s", status, out)
	}
	var report history.Report
	if out, status := two.milter.Run(t, "report", "--json"); status != 0 || json.Unmarshal([]byte(out), &report) != nil || report.Messages != 2 {
		t.Errorf("report: %d, %s", status, out)
	}
	f.pg.Pause()
	for n := range 6 {
		deliver(one, "mx1", fmt.Sprintf("hanging-%d", n))
		deliver(two, "mx2", fmt.Sprintf("hanging-%d", n))
	}
	for _, h := range f.houses {
		eventually(t, "records wait in the file", func() error {
			if n := waiting(h); n != 6 {
				return fmt.Errorf("%d wait", n)
			}
			return nil
		})
	}
	one.milter.Kill()
	f.pg.Continue()
	one.milter.Start(t)
	known("what came while the database hung")
	for _, h := range f.houses {
		eventually(t, "no record waits any more", func() error {
			if n := waiting(h); n != 0 {
				return fmt.Errorf("%d wait", n)
			}
			return nil
		})
	}
	f.pg.Kill()
	deliver(two, "mx2", "killed")
	f.pg.Start(t)
	known("what came while the database was down")
	servers.Await(t, "all mail in the mailboxes", func() bool {
		return one.mta.Mailbox().Count()+two.mta.Mailbox().Count() >= len(want)
	})
	if n := one.mta.Mailbox().Count() + two.mta.Mailbox().Count(); n != len(want) {
		t.Errorf("%d of %d messages have arrived", n, len(want))
	}
	if got := f.pg.SQL(t, "SELECT sum(n) FROM history_count WHERE what = 'action'"); got != fmt.Sprint(len(want)) {
		t.Errorf("%s messages are counted, want %d", got, len(want))
	}
}

// subjectID returns the id of the message with a subject.
func subjectID(t *testing.T, h *house, subject string) string {
	t.Helper()
	out, _ := h.milter.Run(t, "history", "--json", "--subject", subject)
	var r policy.Record
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return r.ID
}
