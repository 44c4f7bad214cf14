package show

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
)

func verdictAt(n int, action string) policy.Record {
	at := time.Date(2026, 11, 29, 12, 0, n, 0, time.UTC)
	return policy.Record{ID: fmt.Sprintf("%016d", n), Time: at, Stage: "message", Action: action, Rule: "r" + action, Sender: "a@example.org",
		Subject: fmt.Sprintf("\x1b[2Jhostile %d\r\n\u202e", n), Recipients: []policy.RecordRecipient{{Recipient: "b@example.com", Action: action}},
		Took: policy.Millis(time.Duration(n) * time.Millisecond)}
}

// TestLivePage draws a page in the size that the terminal has, with what senders wrote
// made visible, and gives the terminal back.
func TestLivePage(t *testing.T) {
	var out bytes.Buffer
	rows := 8
	l := newLive(&out, palette{good: "<good>", bad: "<bad>", mild: "<mild>", off: "<off>"}, func() (int, int, bool) { return 80, rows, true })
	var list []policy.Record
	for n := range 20 {
		action := []string{"deliver", "reject", "tempfail"}[n%3]
		list = append([]policy.Record{verdictAt(n, action)}, list...)
	}
	now := time.Date(2026, 11, 29, 12, 1, 0, 0, time.UTC)
	page := func(fresh []policy.Record, trouble error) []string {
		out.Reset()
		l.Show(fresh, now, trouble)
		text, ok := strings.CutPrefix(out.String(), "\x1b[H")
		if !ok || !strings.HasSuffix(text, "\x1b[K\x1b[J") {
			t.Errorf("%q", out.String())
		}
		return strings.Split(strings.TrimSuffix(text, "\x1b[K\x1b[J"), "\x1b[K\r\n")
	}
	page(list[10:], nil)
	lines := page(list[:10], nil)
	if len(lines) != 8 || !strings.Contains(lines[0], "last 5 min: 20 mails, median 10ms, 99 % 19ms") || !strings.Contains(lines[1], "deliver 7, reject 7, tempfail 6") {
		t.Errorf("%q", lines)
	}
	for i := range 4 {
		line := lines[4+i]
		if !strings.Contains(line, fmt.Sprint("hostile ", 19-i)) || strings.ContainsAny(line, "\x1b\r\n\u202e") || !strings.Contains(line, colourOf(19-i)) {
			t.Errorf("%q", line)
		}
	}
	rows = 5
	if lines := page(nil, errors.New("no \x1b[2J database")); len(lines) != 5 || !strings.Contains(lines[0], "database") || strings.Contains(lines[0], "\x1b") {
		t.Errorf("%q", lines)
	}
	rows = 2
	if lines := page(nil, nil); len(lines) != 2 {
		t.Errorf("%q", lines)
	}
	now = now.Add(time.Hour)
	rows = 40
	if lines := page(nil, nil); len(lines) != 24 || !strings.Contains(lines[0], "0 mails") {
		t.Errorf("%q", lines)
	}
	out.Reset()
	if l.End(); out.String() != giveScreen {
		t.Errorf("%q", out.String())
	}
}

func colourOf(n int) string { return []string{"<good>", "<bad>", "<mild>"}[n%3] }

// TestLiveLines writes lines where there is no terminal, the oldest first, without a
// sequence.
func TestLiveLines(t *testing.T) {
	var out bytes.Buffer
	l := NewLive(&out)
	l.Show([]policy.Record{verdictAt(2, "reject"), verdictAt(1, "deliver")}, time.Now(), nil)
	l.Show(nil, time.Now(), nil)
	l.End()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], "hostile 1") || !strings.Contains(lines[1], "hostile 2") || strings.Contains(out.String(), "\x1b") || l.Screen() {
		t.Errorf("%q", out.String())
	}
}
