package metrics

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"runtime"
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
	m.Stage("open", 3*time.Millisecond)
	m.List("zen", "listed", true, 20*time.Millisecond)
	m.List("zen", "off", false, 0)
	m.Gauges("engine_up", "Whether it answers.", []string{"engine"}, func() []Sample {
		return []Sample{{[]string{"virus/a"}, 1}, {[]string{"virus/b"}, 0}}
	})
	m.Totals("workers_ended_total", "Children.", []string{"reason"}, func() []Sample { return []Sample{{[]string{"cpu"}, 2}} })
	early := record()
	early.Stage, early.Took, early.Scanners, early.Findings, early.Verdicts = "rcpt", 0, nil, nil, nil
	m.Observe(early)
	text := scrape(t, m)
	for _, want := range []string{
		`milterscan_messages_total{action="reject",stage="message"} 2`,
		`milterscan_rule_hits_total{action="reject",rule="default/infected"} 4`,
		`milterscan_findings_total{finding="virus/Eicar-Test-Signature",kind="infected"} 2`,
		`milterscan_scanner_errors_total{scanner="auth"} 2`,
		`milterscan_scanner_seconds_bucket{scanner="virus/clamd",le="0.0025"} 2`,
		`milterscan_message_seconds_bucket{action="reject",le="0.025"} 0`,
		`milterscan_message_seconds_bucket{action="reject",le="0.05"} 2`,
		`milterscan_message_seconds_count{action="reject"} 2`,
		`milterscan_messages_total{action="reject",stage="rcpt"} 1`,
		`milterscan_message_bytes_total 3702`,
		`milterscan_recipients_total 6`,
		`milterscan_stage_seconds_bucket{stage="open",le="0.005"} 1`,
		`milterscan_dnslist_questions_total{list="zen",result="listed"} 1`,
		`milterscan_dnslist_questions_total{list="zen",result="off"} 1`,
		`milterscan_dnslist_seconds_count{list="zen"} 1`,
		`milterscan_engine_up{engine="virus/a"} 1`,
		`milterscan_engine_up{engine="virus/b"} 0`,
		`milterscan_workers_ended_total{reason="cpu"} 2`,
		`milterscan_last_reload_successful 0`,
		`milterscan_reloads_total{result="used"} 1`,
		`milterscan_reloads_total{result="refused"} 1`,
		fmt.Sprintf(`milterscan_build_info{goversion=%q,version="1.2.3"} 1`, runtime.Version()),
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
	m.Reloaded(nil)
	if text := scrape(t, m); !strings.Contains(text, "milterscan_last_reload_successful 1\n") {
		t.Error("a reload that went well is not the last")
	}
}

// TestOddNames takes names in other charsets, and with line ends and quotes in them.
func TestOddNames(t *testing.T) {
	m := New("x")
	for _, name := range []string{"virus/caf\xe9", "virus/caf\xe8", "virus/a\nb", `virus/"}`, ""} {
		m.Observe(policy.Record{Stage: "message", Findings: []policy.RecordFinding{{Rule: name}}})
	}
	m.Gauges("engine_up", "x", []string{"engine"}, func() []Sample { return []Sample{{[]string{"\xff"}, 1}, {[]string{"\xfe"}, 2}} })
	text := scrape(t, m)
	for _, want := range []string{
		`{finding="virus/caf?",kind="note"} 2`, `{finding="virus/a\nb",kind="note"} 1`, `{finding="virus/\"}",kind="note"} 1`, `{finding="",kind="note"} 1`,
		`milterscan_engine_up{engine="?"} 3`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("there is no %s in\n%s", want, text)
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
