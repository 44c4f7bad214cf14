// Package metrics counts what becomes of messages and serves the counts to
// Prometheus. What a message says never becomes the value of a label; names of
// rules and findings do, up to a bound.
package metrics

import (
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/milterscan/milterscan/policy"
)

// prefix begins the name of every metric.
const prefix = "milterscan_"

// mostValues bounds the values of one label: configurations have some hundred
// rules, and whatever comes after these counts as "other".
const mostValues = 500

// latency are the upper bounds of durations, in seconds: from the time clamd takes
// for a small mail to the time after which an MTA gives up.
var latency = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120}

// Metrics counts messages. All methods may be called at once from any goroutine.
type Metrics struct {
	registry *prometheus.Registry

	messages, rules, findings, failures *prometheus.CounterVec
	recipients, bytes                   prometheus.Counter
	took                                *prometheus.HistogramVec
	scanners                            *prometheus.HistogramVec
	reloads                             *prometheus.CounterVec

	names bounded
}

// New returns counters of a process of that version.
func New(version string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.messages = m.counters("messages_total",
		"Messages judged, and stages before the message that were refused, by what was answered.", "stage", "action")
	m.rules = m.counters("rule_hits_total", "Recipients for whom a rule decided, by the rule's name and what it did.", "rule", "action")
	m.findings = m.counters("findings_total", "Findings, by name and kind.", "finding", "kind")
	m.failures = m.counters("scanner_errors_total", "Scans that came to no result, by scanner.", "scanner")
	m.reloads = m.counters("reloads_total", "Configurations read after the first one, by whether they are used.", "result")
	m.recipients = m.counter("recipients_total", "Recipients of the messages judged.")
	m.bytes = m.counter("message_bytes_total", "Bytes of the messages judged.")
	m.took = m.histograms("message_seconds", "Time from the last byte of a message to its answer.", "action")
	m.scanners = m.histograms("scanner_seconds", "Time a scanner took for a message.", "scanner")
	m.names.known = map[string]map[string]bool{}
	m.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	m.Gauge("build_info", "1; the version is a label.", prometheus.Labels{"version": version}, func() float64 { return 1 })
	return m
}

func (m *Metrics) counters(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, labels)
	m.registry.MustRegister(c)
	return c
}

func (m *Metrics) counter(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + name, Help: help})
	m.registry.MustRegister(c)
	return c
}

func (m *Metrics) histograms(name, help string, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: prefix + name, Help: help, Buckets: latency}, labels)
	m.registry.MustRegister(h)
	return h
}

// Gauge adds a value that is asked for at every scrape. The name is without the
// prefix. It panics if a gauge has the same name and labels.
func (m *Metrics) Gauge(name, help string, labels prometheus.Labels, value func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: prefix + name, Help: help, ConstLabels: labels}, value))
}

// Total adds a count that another part keeps, which is asked for at every scrape.
func (m *Metrics) Total(name, help string, labels prometheus.Labels, value func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: prefix + name, Help: help, ConstLabels: labels}, value))
}

// Observe counts a message.
func (m *Metrics) Observe(r policy.Record) {
	m.messages.WithLabelValues(r.Stage, r.Action).Inc()
	m.took.WithLabelValues(r.Action).Observe(r.Took.Go().Seconds())
	m.recipients.Add(float64(len(r.Recipients) + r.MoreRecipients))
	m.bytes.Add(float64(r.Size))
	for _, v := range r.Verdicts {
		if v.Rule != nil {
			m.rules.WithLabelValues(m.names.bound("rule", v.Rule.Name), v.Action).Add(float64(max(1, len(v.Recipients))))
		}
	}
	for _, f := range r.Findings {
		m.findings.WithLabelValues(m.names.bound("finding", f.Rule), f.Kind.String()).Inc()
	}
	for _, s := range r.Scanners {
		scanner := m.names.bound("scanner", s.Scanner)
		m.scanners.WithLabelValues(scanner).Observe(s.Took.Go().Seconds())
		if s.Error != "" {
			m.failures.WithLabelValues(scanner).Inc()
		}
	}
}

// Reloaded counts a configuration that was read, used or not.
func (m *Metrics) Reloaded(err error) {
	result := "used"
	if err != nil {
		result = "refused"
	}
	m.reloads.WithLabelValues(result).Inc()
}

// scrapeTime bounds one scrape.
const scrapeTime = 10 * time.Second

// Handler serves the counts in the text format of Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 3, Timeout: scrapeTime})
}

// bounded keeps the values of labels few.
type bounded struct {
	mu    sync.Mutex
	known map[string]map[string]bool
}

// bound returns a value of a label, or "other" once there are too many of them.
func (b *bounded) bound(label, value string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	values := b.known[label]
	if values == nil {
		values = map[string]bool{}
		b.known[label] = values
	}
	switch {
	case values[value]:
	case len(values) >= mostValues:
		return "other"
	default:
		values[value] = true
	}
	return value
}
