package metrics

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
)

func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
	return w.Body.String()
}

func millis(n int) policy.Millis { return policy.Millis(time.Duration(n) * time.Millisecond) }

func record() policy.Record {
	return policy.Record{
		Stage: "message", Action: "reject", Recipients: []policy.RecordRecipient{{Recipient: "a@example.com"}, {Recipient: "b@example.com"}}, Size: 1234, Took: millis(30),
		Scanners: []policy.ScannerTime{{Scanner: "virus/clamd", Took: millis(2)}, {Scanner: "auth", Took: millis(1000), Error: "timeout"}},
		Findings: []policy.RecordFinding{{Kind: scan.Infected, Rule: "virus/Eicar-Test-Signature"}},
		Verdicts: []policy.RecordVerdict{{Recipients: []string{"a@example.com", "b@example.com"}, Action: "reject", Rule: &policy.RecordRule{Name: "default/infected"}}},
	}
}

func TestObserve(t *testing.T) {
	m := New("1.2.3")
	m.Observe(record())
	m.Observe(record())
	m.Reloaded(nil)
	m.Reloaded(errors.New("no"))
	m.Gauge("spool_bytes", "Bytes in the spool.", nil, func() float64 { return 17 })
	m.Total("history_dropped_total", "Records lost.", nil, func() float64 { return 3 })
	text := scrape(t, m)
	for _, want := range []string{
		`milterscan_messages_total{action="reject",stage="message"} 2`,
		`milterscan_rule_hits_total{action="reject",rule="default/infected"} 4`,
		`milterscan_findings_total{finding="virus/Eicar-Test-Signature",kind="infected"} 2`,
		`milterscan_scanner_errors_total{scanner="auth"} 2`,
		`milterscan_scanner_seconds_bucket{scanner="virus/clamd",le="0.0025"} 2`,
		`milterscan_message_seconds_bucket{action="reject",le="0.025"} 0`,
		`milterscan_message_seconds_bucket{action="reject",le="0.05"} 2`,
		`milterscan_message_bytes_total 2468`,
		`milterscan_recipients_total 4`,
		`milterscan_reloads_total{result="used"} 1`,
		`milterscan_reloads_total{result="refused"} 1`,
		`milterscan_build_info{version="1.2.3"} 1`,
		`milterscan_spool_bytes 17`,
		`milterscan_history_dropped_total 3`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("there is no %s in\n%s", want, text)
		}
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, prefix) {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// However many names strangers bring along, the series stay few, and what is over
// the bound is counted still.
func TestLabelsAreBounded(t *testing.T) {
	m := New("x")
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := range 1000 {
				r := policy.Record{Findings: []policy.RecordFinding{{Rule: fmt.Sprintf("virus/%d-%d", i, n)}}}
				m.Observe(r)
			}
		})
	}
	wg.Wait()
	series, total := 0, 0
	for line := range strings.Lines(scrape(t, m)) {
		if strings.HasPrefix(line, "milterscan_findings_total{") {
			series++
			var n int
			fmt.Sscan(line[strings.LastIndexByte(line, ' ')+1:], &n)
			total += n
		}
	}
	if series != mostValues+1 || total != 4000 {
		t.Errorf("%d series, %d findings", series, total)
	}
}

func TestGaugeTwice(t *testing.T) {
	m := New("x")
	m.Gauge("engine_up", "x", prometheus.Labels{"engine": "a"}, func() float64 { return 1 })
	m.Gauge("engine_up", "x", prometheus.Labels{"engine": "b"}, func() float64 { return 0 })
	defer func() {
		if recover() == nil {
			t.Error("the same gauge can be added twice")
		}
	}()
	m.Gauge("engine_up", "x", prometheus.Labels{"engine": "a"}, func() float64 { return 1 })
}

func BenchmarkObserve(b *testing.B) {
	m, r := New("x"), record()
	b.ReportAllocs()
	for b.Loop() {
		m.Observe(r)
	}
}
