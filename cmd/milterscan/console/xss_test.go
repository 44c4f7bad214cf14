package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/wording"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/tests/consoletest"
)

// hostileTexts are what senders write where a page shows it.
var hostileTexts = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)' x='`, `javascript:alert(1)`, `</title><svg onload=alert(1)>`,
	`</textarea></details><iframe src=//evil.test>`, `{{.Person}}`, `<a href=//evil.test>x</a>`, "\x00\x1b[31m\x07", "line\r\nSet-Cookie: a=b", "\u202egpj.exe\u2066", "\u2028\u2029\ufeff",
	"\xff\xfe<b>", `&lt;b&gt;&#60;script&#62;`, "<!-- --!><script>x</script>", `<base href=//evil.test/>`, `" style="position:fixed" class="badge ok`, strings.Repeat("<i>A", 3000), `*/}</style><style>*{}`,
	`//evil.test`, `\\evil.test`, "`${alert(1)}`",
}

// hostileRecord has a text in every field that a message or a client can fill.
func hostileRecord(n int, s string) policy.Record {
	f := policy.RecordFinding{Kind: scan.Suspicious, Scanner: s, Rule: s, Part: "1/" + s, Name: s, Detail: s, Recipient: ""}
	rule := policy.RecordRule{Name: s, File: s, Line: 1}
	to := []string{"bob@example.com", s}
	return policy.Record{
		Version: policy.RecordVersion, ID: id(n), Time: time.Now().Add(-time.Minute), Stage: "message", Direction: s, QueueID: s, MessageID: s, Client: s, ClientName: s, Helo: s, User: s,
		Sender: s, Subject: s, Size: 1000, Action: "quarantine", Reply: s, Rule: s, Recipients: []policy.RecordRecipient{{Recipient: to[0], Action: s, Rule: s, Because: &f}, {Recipient: s, Action: "quarantine", Rule: s}},
		Findings: []policy.RecordFinding{f, {Kind: scan.Infected, Scanner: s, Rule: s, Part: s, Detail: s}}, Edits: []policy.RecordEdit{{Kind: s, Part: s, Name: s, Value: s, Rule: s}}, Changes: []string{s},
		Applied: []string{s}, Watched: []string{s}, Scanners: []policy.ScannerTime{{Scanner: s, Took: 1e6, Error: s}, {Scanner: s, Found: 2}}, Release: s,
		Verdicts: []policy.RecordVerdict{{Recipients: to, Action: "quarantine", Kept: true, Rule: &rule, Because: 0, Applied: []string{s}, Watched: []string{s},
			Matches: []policy.RecordMatch{{Rule: rule, Finding: 0, Does: s, Decides: true}, {Rule: rule, Finding: -1, Does: s, Observed: true}}}},
		Alternatives: []policy.Alternative{{Findings: []int{0, 7}, Rules: []string{s}, Then: s}},
	}
}

// hostileMessage has a text in its fields, names, text and page.
func hostileMessage(s string) string {
	flat := strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ").Replace(clip(s, 900))
	return "From: " + flat + "\r\nTo: " + flat + "\r\nSubject: " + flat + "\r\nX-" + strings.Map(letter, flat) + ": " + flat + "\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/plain\r\n\r\n" + s + "\r\n--b\r\nContent-Type: text/html\r\n\r\n<a href=\"" + s + "\">" + s + "</a>" + s + "\r\n" +
		"--b\r\nContent-Type: " + flat + "; name=\"" + flat + "\"\r\nContent-Disposition: attachment; filename=\"" + flat + "\"\r\n\r\nx\r\n--b--\r\n"
}

func letter(r rune) rune {
	if r >= 'a' && r <= 'z' {
		return r
	}
	return -1
}

// TestHostileTexts shows each hostile text in every field of a record and a message, in
// every parameter of an address, in the audit log and in errors, in every language: no page
// has an element or an attribute that is not ours, nor a character that hides or turns others.
func TestHostileTexts(t *testing.T) {
	s := newSite(t)
	s.mta.Err = fmt.Errorf("550 %s", hostileTexts[0])
	var pages []string
	for _, route := range s.Routes() {
		if route.Method == "GET" && !strings.Contains(route.Pattern, "{part}") && !route.Open {
			pages = append(pages, route.Pattern)
		}
	}
	slices.Sort(pages)
	for i, hostile := range hostileTexts {
		n := i + 1
		r := hostileRecord(n, hostile)
		s.remember(r)
		s.keep(r, hostileMessage(hostile))
		s.mu.Lock()
		s.Console.Host.(*site).health.Outages[0].Name = hostile
		s.mu.Unlock()
		s.Audit(nil, consoletest.People["root"], "x", hostile, hostile)
		if err := s.NoteReload(t.Context(), uint64(n), s.Config(), fmt.Errorf("%s", hostile)); err != nil {
			t.Fatal(err)
		}
		s.Releaser(hostile).Handle(t.Context(), id(n), true)
		query := linkTo("", "from", hostile, "to", hostile, "subject", hostile, "rule", hostile, "finding", hostile, "q", "", "done", hostile, "class", hostile, "person", hostile,
			"key", hostile, "days", hostile, "act", hostile)
		sums := linkTo("", "by", "rule", "finding", hostile)
		for _, pattern := range pages {
			path := strings.NewReplacer("{$}", "", "{id}", id(n)).Replace(pattern)
			for _, more := range []string{"", query, sums} {
				code := wording.Languages()[(i+len(more))%len(wording.Languages())]
				got := s.ask("GET", path+more, "root", func(r *http.Request) { r.Header.Set("Test-Language", code) })
				s.check(fmt.Sprintf("%s with %.40q", path, hostile), got.Code, got.Body.String())
			}
		}
		got := s.post("/quarantine/"+id(n)+"/release", "root", "to", hostile, "infected", "1")
		s.check("release", got.Code, got.Body.String())
		got = s.post("/quarantine", "root", "act", "handled", "id", hostile)
		s.check("bulk", got.Code, got.Body.String())
	}
}

// check looks for foreign elements in a page.
func (s *site) check(name string, status int, page string) {
	s.t.Helper()
	if status == http.StatusInternalServerError || strings.Contains(page, "goroutine ") {
		s.t.Errorf("%s: %d %s", name, status, text(page))
	}
	if !strings.HasPrefix(page, "<!DOCTYPE html>") {
		return // a redirection
	}
	if odd := foreignIn(s.t, page); len(odd) > 0 {
		s.t.Errorf("%s: %q", name, odd)
	}
	for _, r := range text(page) {
		if r < ' ' || r == '\u202e' || r == '\u2066' || r == '\u2028' || r == '\ufeff' || r == 0x1b {
			s.t.Errorf("%s: shows %U", name, r)
			break
		}
	}
}

// TestLongTexts cuts a long subject, and has all of it for those who ask.
func TestLongTexts(t *testing.T) {
	s := newSite(t)
	long := strings.Repeat("subject ", 1280) + "end"
	r := hostileRecord(1, "x")
	r.Subject = long
	s.remember(r)
	for path, most := range map[string]int{"/messages": 4, "/messages/" + id(1): 52} {
		page := s.ask("GET", path, "root", nil).Body.String()
		if n := strings.Count(page, strings.Repeat("subject ", 30)); n > most {
			t.Errorf("%s has it %d times", path, n)
		}
	}
	page := s.ask("GET", "/messages/"+id(1), "root", nil).Body.String()
	if !strings.Contains(page, "subject end") || !strings.Contains(page, "<details class=\"long\">") {
		t.Error("the whole is not there")
	}
}

// TestRecordsOfTheFuture shows records with words that this program does not know.
func TestRecordsOfTheFuture(t *testing.T) {
	s := newSite(t)
	var r policy.Record
	text := `{"version":9,"id":"` + id(1) + `","time":"2026-11-29T10:00:00Z","stage":"beyond","action":"explode","recipients":null,"findings":[{"kind":"suspicious","rule":"new/thing"}],"verdicts":[{"recipients":["a@example.com"],"action":"explode","because":99,"matches":[{"finding":99}]}]}`
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	s.remember(r)
	s.keep(r, "Subject: x\r\n\r\ny\r\n")
	err := s.Quarantine().Change(t.Context(), id(1), func(e *quarantine.Entry) error {
		e.State, e.Events = "adrift", append(e.Events, quarantine.Event{What: "teleport", By: "x"})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/messages/" + id(1), "/quarantine", "/messages"} {
		got := s.ask("GET", path, "root", nil)
		s.check(path, got.Code, got.Body.String())
		if got.Code != 200 {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
}
