package daemon

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/scan"
)

// What stops answering is said once, as a warning, and once that it answers again,
// however many messages meet it, and however often it wavers.
func TestHealth(t *testing.T) {
	report := func(name string, failed ...string) scan.Report {
		r := scan.Report{Scanner: name}
		for _, rule := range failed {
			r.Findings = append(r.Findings, scan.Finding{Kind: scan.Failed, Rule: rule, Detail: "why"})
		}
		return r
	}
	clamd, well := report("virus/clamd", "virus/failed/clamd"), report("virus/clamd")
	kept := &judge.Result{}
	kept.Decision.Keep = true
	notKept := &judge.Result{Found: []scan.Finding{{Kind: scan.Failed, Rule: "mime/not-kept"}}}
	one := func(r ...scan.Report) *judge.Result { return &judge.Result{Reports: r} }
	for _, c := range []struct {
		name     string
		messages []*judge.Result // one each 25 seconds
		want     string
	}{
		{"well", []*judge.Result{one(well), one(well)}, ""},
		{"down", []*judge.Result{one(well), one(clamd), one(clamd), one(clamd)}, "warn virus/failed/clamd"},
		{"down and up", []*judge.Result{one(clamd), one(clamd), one(well), one(well), one(well), one(well)}, "warn virus/failed/clamd, info virus/failed/clamd"},
		{"wavering", []*judge.Result{one(clamd), one(well), one(clamd), one(well), one(clamd)}, "warn virus/failed/clamd"},
		{"another", []*judge.Result{one(clamd), one(report("virus/icap")), one(report("virus/icap")), one(report("virus/icap"))}, "warn virus/failed/clamd"},
		{"two", []*judge.Result{one(clamd, report("spam/sa", "spam/failed/sa"))}, "warn virus/failed/clamd, warn spam/failed/sa"},
		{"one list", []*judge.Result{one(report("spam/lists", "spam/failed/a")), one(report("spam/lists", "spam/failed/b")), one(report("spam/lists", "spam/failed/b")),
			one(report("spam/lists", "spam/failed/b")), one(report("spam/lists", "spam/failed/b"))}, "warn spam/failed/a, warn spam/failed/b, info spam/failed/a"},
		{"a store", []*judge.Result{one(report("greylist", "greylist/failed")), one(report("greylist")), one(report("greylist")), one(report("greylist"))}, "warn greylist/failed, info greylist/failed"},
		{"a resolver", []*judge.Result{one(report("relay", "relay/failed", "relay/unknown"))}, "warn relay/failed"},
		{"the quarantine", []*judge.Result{notKept, notKept, one(well), kept, kept}, "warn mime/not-kept, info mime/not-kept"},
		{"a message that could not be read", []*judge.Result{one(report("document", "document/failed"), report("auth", "auth/spf-temperror"))}, ""},
	} {
		core, seen := observer.New(zapcore.DebugLevel)
		h := newHealth(zap.New(core))
		now := time.Now()
		h.now = func() time.Time { return now }
		for _, m := range c.messages {
			h.note(m)
			now = now.Add(25 * time.Second)
		}
		var got []string
		for _, e := range seen.All() {
			got = append(got, fmt.Sprintf("%v %v", e.Level, e.ContextMap()["finding"]))
		}
		if s := strings.Join(got, ", "); s != c.want {
			t.Errorf("%s: %q, want %q", c.name, s, c.want)
		}
	}
}
