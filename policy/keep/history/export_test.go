package history

import (
	"encoding/csv"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy"
)

// TestCSV has lines that every reader of such files takes apart as they were put together,
// and that neither a terminal nor a spreadsheet obeys.
func TestCSV(t *testing.T) {
	records := []policy.Record{
		{ID: "1", Subject: `say "hello", all`, Sender: "a@example.net", Recipients: append(to("deliver", "b@example.com"), to("reject", "c@example.com")...), Size: 7},
		{ID: "2", Subject: "=HYPERLINK(\"http://x\")", Sender: "+1@example.net", User: "-1", Reply: "@SUM(1)"},
		{ID: "3", Subject: "two\r\nlines \x1b[31m \u202eevil", Findings: []policy.RecordFinding{{Rule: "b"}, {Rule: "a"}, {Rule: "b"}}, Rule: "r"},
		{ID: "4", Subject: strings.Repeat("x", 10_000)},
	}
	var out strings.Builder
	c := NewCSV(&out)
	for _, r := range records {
		if err := c.Record(r); err != nil {
			t.Fatal(err)
		}
	}
	c.Flush()
	if strings.ContainsAny(out.String(), "\x1b\u202e\r") || strings.Count(out.String(), "\n") != len(records)+1 {
		t.Errorf("%q", out.String())
	}
	lines, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	place := map[string]int{}
	for i, name := range lines[0] {
		place[name] = i
	}
	for _, want := range []struct {
		line         int
		column, text string
	}{
		{1, "subject", `say "hello", all`}, {1, "recipients", "b@example.com c@example.com"}, {1, "recipient_actions", "deliver reject"}, {1, "size", "7"},
		{2, "subject", `'=HYPERLINK("http://x")`}, {2, "sender", "'+1@example.net"}, {2, "user", "'-1"}, {2, "reply", "'@SUM(1)"},
		{3, "subject", `two\u000d\u000alines \u001b[31m \u202eevil`}, {3, "findings", "a b"}, {3, "rules", "r"}, {4, "subject", records[3].Subject},
	} {
		if got := lines[want.line][place[want.column]]; got != want.text {
			t.Errorf("line %d, %s: %.80q, want %.80q", want.line, want.column, got, want.text)
		}
	}
}

func TestCursor(t *testing.T) {
	for _, c := range []Cursor{{}, {1, 2}, {-62135596800000, 1}, {1 << 62, 1<<63 - 1}} {
		if got, err := ParseCursor(c.String()); err != nil || got != c {
			t.Errorf("%v: %v, %v", c, got, err)
		}
	}
	for _, s := range []string{"1", ".", "1.", "x.1", "1.x", "01.2", "+1.2", "1.2.3", "1 .2", "' OR 1=1", "99999999999999999999.1"} {
		if c, err := ParseCursor(s); err == nil || !strings.Contains(err.Error(), "no place in the history") {
			t.Errorf("%q: %v, %v", s, c, err)
		}
	}
}
