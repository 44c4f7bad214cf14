package console

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/doctor"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

// Health is what the daemon knows of what it asks.
type Health struct {
	At       time.Time // of the examination; zero: there was none yet
	Running  bool      // there is one at this moment
	Findings []doctor.Finding
	Outages  []Outage
}

// Outage is a check or a store that does not answer.
type Outage struct {
	Name     string // of the scanner
	Finding  string
	Since    time.Time
	Messages int
}

// overviewPage is what happened lately, and what needs a person.
type overviewPage struct {
	Days     int
	Spans    []int
	Report   *history.Report
	Top      []history.Section
	Chart    *chart
	Latency  []latency
	Sample   int
	Health   Health
	Needs    []need
	Troubles []trouble
	None     bool      // nothing is remembered
	AsOf     time.Time // when was counted, if that is some time ago
}

// need is something that waits for a person.
type need struct {
	Level string // class of the notice: bad or mild
	Text  string
	Fix   string
	Link  string
}

// spans returns the numbers of days that an overview can be about.
func spans() []int { return []int{1, 7, 30} }

// overview shows what happened lately, and what needs a person. One who may not see
// that of the whole host is shown its messages.
func (c *Console) overview(w http.ResponseWriter, r *http.Request, p login.Person) error {
	if p.May(login.SeeOwn) {
		http.Redirect(w, r, MinePath, http.StatusSeeOther)
		return nil
	}
	if !p.May(login.SeeOverview) {
		http.Redirect(w, r, firstPage(p), http.StatusSeeOther)
		return nil
	}
	v := c.view(r, p, "overview")
	o := &overviewPage{Days: 1, Spans: spans()}
	for _, days := range o.Spans {
		if r.URL.Query().Get("days") == v.locale.plain(days) {
			o.Days = days
		}
	}
	c.fill(r.Context(), v, o)
	v.Page = o
	return v.write(w, http.StatusOK)
}

// fill asks all parts at the same time.
func (c *Console) fill(ctx context.Context, v *view, o *overviewPage) {
	now := c.Now()
	var l lately
	var unsure []quarantine.Row
	errs := make([]error, 3)
	var wg sync.WaitGroup
	wg.Go(func() { l, errs[0] = c.lately(ctx, v.Person, o.Days) })
	wg.Go(func() {
		if !v.Person.Away.IsZero() {
			return
		}
		unsure, errs[1] = ask(ctx, c.asks, PartQuarantine, func(ctx context.Context) ([]quarantine.Row, error) {
			return c.Host.Quarantine().Find(ctx, quarantine.Filter{State: quarantine.Releasing, Limit: mostNeeds})
		})
	})
	wg.Go(func() {
		o.Health, errs[2] = ask(ctx, c.asks, PartHealth, func(ctx context.Context) (Health, error) { return c.Host.Health(), nil })
	})
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			o.Troubles = append(o.Troubles, troubleOf(v.pages, err))
		}
	}
	o.needs(v.pages, unsure)
	o.AsOf = l.asOf
	if o.None = l.none; errs[0] != nil || l.none {
		return
	}
	if !l.asOf.IsZero() {
		now = l.asOf
	}
	since := daysBefore(now, o.Days)
	report := history.NewReport(l.counts, since, now, 8)
	o.Report = &report
	for _, what := range []string{history.ByRule, history.ByFinding, history.BySender, history.ByRecipient} {
		i := slices.IndexFunc(report.Sections, func(s history.Section) bool { return s.What == what })
		o.Top = append(o.Top, report.Sections[i])
	}
	o.Chart = newChart(v.pages, l.hours, since, now, o.Days)
	o.Sample = len(l.recent)
	o.Latency = latencies(l.recent)
}

// mostRecent is how many messages the percentiles are of, and mostNeeds how many messages
// that need a person are named.
const (
	mostRecent = 500
	mostNeeds  = 10
)

// needs collects what waits for a person.
func (o *overviewPage) needs(v *pages, unsure []quarantine.Row) {
	for _, out := range o.Health.Outages {
		o.Needs = append(o.Needs, need{Level: "bad", Text: v.texts.Of("need-outage", policy.Visible(out.Name), v.locale.moment(out.Since),
			v.locale.number(int64(out.Messages)))})
	}
	for _, row := range unsure {
		o.Needs = append(o.Needs, need{Level: "mild", Text: v.texts.Of("need-unsure", row.ID), Link: "/messages/" + row.ID})
	}
	for _, f := range o.Health.Findings {
		if f.Level == doctor.Fault {
			o.Needs = append(o.Needs, need{Level: "bad", Text: f.Check + ": " + f.What, Fix: f.Fix})
		}
	}
	slices.SortStableFunc(o.Needs, func(a, b need) int { return cmp.Compare(a.Level, b.Level) })
}

// Level returns the word for how a finding of doctor is.
func (o *overviewPage) Level(f doctor.Finding) string { return levelOf(f.Level) }

func levelOf(l doctor.Level) string { return [...]string{"ok", "advice", "fault"}[l] }

// latency is how long messages took.
type latency struct {
	Name          string // of a scanner; "" for messages as a whole
	P50, P90, P99 time.Duration
	N             int
}

// latencies returns the percentiles of messages, and of each scanner, the slowest first.
func latencies(records []policy.Record) []latency {
	whole := []time.Duration{}
	by := map[string][]time.Duration{}
	for _, r := range records {
		if r.Stage != "message" {
			continue
		}
		whole = append(whole, r.Took.Go())
		for _, s := range r.Scanners {
			by[s.Scanner] = append(by[s.Scanner], s.Took.Go())
		}
	}
	if len(whole) == 0 {
		return nil
	}
	var all []latency
	for name, list := range by {
		all = append(all, newLatency(name, list))
	}
	slices.SortFunc(all, func(a, b latency) int { return cmp.Or(cmp.Compare(b.P99, a.P99), cmp.Compare(a.Name, b.Name)) })
	return append([]latency{newLatency("", whole)}, all...)
}

func newLatency(name string, list []time.Duration) latency {
	slices.Sort(list)
	at := func(percent int) time.Duration { return list[min(len(list)-1, len(list)*percent/100)] }
	return latency{name, at(50), at(90), at(99), len(list)}
}
