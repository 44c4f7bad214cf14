package daemon

import (
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/scan"
)

// steady is how long nothing may have failed before a scanner counts as working
// again: a resolver that answers every other question is one trouble, not many.
const steady = time.Minute

// health notices when an engine, a list, a resolver or a store stops answering, and
// when it does so again, and says either once. What happens to single messages has
// its line for each message already.
type health struct {
	log *zap.Logger
	now func() time.Time

	mu   sync.Mutex
	down map[string]*outage // by the rule of the failure
}

// outage is a failure that goes on.
type outage struct {
	where       string // the scanner
	since, last time.Time
	messages    int
}

func newHealth(log *zap.Logger) *health {
	return &health{log: log, now: time.Now, down: map[string]*outage{}}
}

// note takes the reports on one message into account.
func (h *health) note(r *judge.Result) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, report := range r.Reports {
		if outside(scan.FailedRule(report.Scanner)) {
			h.heard(report.Scanner, failures(report.Findings))
		}
	}
	const notKept = "mime/not-kept"
	if f := named(r.Found, notKept); f != nil {
		h.heard("quarantine", map[string]string{notKept: f.Detail})
	} else if r.Decision.Keep {
		h.heard("quarantine", nil)
	}
}

// count returns the number of scanners that do not answer.
func (h *health) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.down)
}

// failures returns the reasons of all failures among findings, by their rules. A list
// that fails has its own rule.
func failures(found []scan.Finding) map[string]string {
	all := map[string]string{}
	for _, f := range found {
		if f.Kind == scan.Failed && strings.Contains(f.Rule, "/failed") {
			all[f.Rule] = f.Detail
		}
	}
	return all
}

// heard records the failures of a scanner, and the end of those that are over.
func (h *health) heard(where string, failed map[string]string) {
	for rule, why := range failed {
		h.fails(where, rule, why)
	}
	for rule, o := range h.down {
		if _, still := failed[rule]; !still && o.where == where && h.now().Sub(o.last) >= steady {
			h.works(rule, o)
		}
	}
}

// outside reports whether a failure is about something outside of the message. The
// others say that one message could not be read in time.
func outside(rule string) bool {
	word, _, _ := strings.Cut(rule, "/")
	return word != "attachment" && word != "document" && word != "content"
}

// named returns the finding of a rule, nil if there is none.
func named(found []scan.Finding, rule string) *scan.Finding {
	for i := range found {
		if found[i].Rule == rule {
			return &found[i]
		}
	}
	return nil
}

// fails records one failure.
func (h *health) fails(where, rule, why string) {
	now := h.now()
	if o := h.down[rule]; o != nil {
		o.last = now
		o.messages++
		return
	}
	h.down[rule] = &outage{where: where, since: now, last: now, messages: 1}
	h.log.Warn("check or store does not answer; \"milterscan doctor\" tells more", zap.String("name", where), zap.String("finding", rule),
		zap.String("error", why))
}

// works records that a failure is over.
func (h *health) works(rule string, o *outage) {
	delete(h.down, rule)
	h.log.Info("check or store answers again", zap.String("name", o.where), zap.String("finding", rule), zap.Int("messages", o.messages),
		zap.Duration("after", o.last.Sub(o.since)))
}
