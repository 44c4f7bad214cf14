package console

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/store"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/tests/consoletest"
)

// many is how many records the benchmark of pages works on: -records=1000000 for the
// figures in docs/console.md.
var many = flag.Int("records", 20_000, "records for the benchmark of pages")

// busyHost is the record of one of many mails: of a thousand people and a thousand sender
// domains, a tenth refused by one of ten rules.
func busyHost(n int, at time.Time) policy.Record {
	r := rand.New(rand.NewPCG(3, uint64(n)))
	to := fmt.Sprintf("user%d@example.com", r.IntN(1000))
	rec := policy.Record{
		Version: policy.RecordVersion, ID: fmt.Sprintf("06h%013d", n), Time: at, Stage: "message", Direction: "inbound", QueueID: fmt.Sprintf("4F%08d", n),
		MessageID: fmt.Sprintf("%d@mail.example.net", n), Client: fmt.Sprintf("198.51.%d.%d", r.IntN(256), r.IntN(256)), ClientName: "mail.example.net",
		Sender:  fmt.Sprintf("sender%d@domain%d.example.net", r.IntN(100), r.IntN(1000)),
		Subject: fmt.Sprintf("Order %d from Acme", r.IntN(1e6)), Size: int64(1000 + r.IntN(1e6)), Action: "deliver", Complete: true,
		Took:     policy.Millis(time.Duration(r.IntN(50)) * time.Millisecond),
		Scanners: []policy.ScannerTime{{Scanner: "virus/clamd", Took: policy.Millis(time.Duration(r.IntN(40)) * time.Millisecond)}, {Scanner: "attachment"}},
	}
	verdict := policy.RecordVerdict{Recipients: []string{to}, Action: "deliver", Because: -1}
	if n%10 == 0 {
		name := fmt.Sprintf("rule %d", r.IntN(10))
		rec.Action, rec.Rule = "reject", name
		rec.Findings = []policy.RecordFinding{{Kind: scan.Suspicious, Scanner: "attachment", Rule: "attachment/program", Part: "2"}}
		verdict = policy.RecordVerdict{Recipients: []string{to}, Action: "reject", Rule: &policy.RecordRule{Name: name}, Applied: []string{name}}
	}
	rec.Verdicts = []policy.RecordVerdict{verdict}
	rec.Recipients = []policy.RecordRecipient{{Recipient: to, Action: rec.Action, Rule: rec.Rule}}
	return rec
}

// busySite returns a console over the history of a busy host, a week long and indexed.
func busySite(b *testing.B) *Console {
	b.Helper()
	c := consoletest.Config(b, keepTheOdd)
	fill(b, c.History.File, *many)
	s := &site{mta: &consoletest.MTA{}}
	s.stores = NewStores(func() *config.Config { return c }, func(err error) { b.Log(err) })
	b.Cleanup(s.stores.Close)
	console, err := New(Options{People: s, Host: s, Log: zap.NewNop(), Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	return console
}

// fill puts records of the last week into a history, and indexes them.
func fill(b *testing.B, file string, records int) {
	b.Helper()
	h := store.NewHistory(file, func(err error) { b.Log(err) })
	defer h.Close()
	const lot = 2000
	begin, step := time.Now().Add(-7*24*time.Hour), 7*24*time.Hour/time.Duration(records)
	for n := 0; n < records; n += lot {
		var list []policy.Record
		for i := n; i < min(n+lot, records); i++ {
			list = append(list, busyHost(i, begin.Add(time.Duration(i)*step)))
		}
		if err := h.Append(b.Context(), list); err != nil {
			b.Fatal(err)
		}
	}
	for more := true; more; {
		var err error
		if more, err = h.Index(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPages asks for each page over and over, and reports the time within which 99 of
// 100 are there.
func BenchmarkPages(b *testing.B) {
	c := busySite(b)
	last := fmt.Sprintf("06h%013d", *many-10)
	query := func(pairs ...string) string {
		v := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return "/messages?" + v.Encode()
	}
	for _, page := range []struct{ name, path string }{
		{"overview-day", "/?days=1"}, {"overview-week", "/?days=7"}, {"overview-month", "/?days=30"},
		{"messages", "/messages"}, {"messages-sender", query("from", "@domain77.example.net")}, {"messages-recipient", query("to", "user7@example.com", "action", "reject")},
		{"messages-subject", query("subject", "order 4711")}, {"messages-rule", query("rule", "rule 3")}, {"messages-none", query("subject", "no such words")},
		{"message", "/messages/" + last}, {"quarantine", "/quarantine"}, {"rules", "/rules?days=7"}, {"settings", "/rules/settings"}, {"audit", "/audit"},
	} {
		b.Run(page.name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				r := httptest.NewRequest("GET", page.path, nil)
				r.Header.Set("Test-Person", "root")
				w := httptest.NewRecorder()
				begun := time.Now()
				c.ServeHTTP(w, r)
				took = append(took, time.Since(begun))
				if w.Code != http.StatusOK || strings.Contains(w.Body.String(), `class="notice bad"`) {
					b.Fatalf("%d %s", w.Code, w.Body)
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2])/1e6, "ms-p50")
			b.ReportMetric(float64(took[len(took)*99/100])/1e6, "ms-p99")
		})
	}
}
