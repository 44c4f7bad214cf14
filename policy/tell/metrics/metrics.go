// Package metrics counts what becomes of messages and serves the counts to
// Prometheus. What a message says never becomes the value of a label; names of
// rules and findings do, up to a bound.
package metrics

import (
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/milterscan/milterscan/policy"
)

// prefix begins the name of every metric.
const prefix = "milterscan_"

// latency are the upper bounds of durations, in seconds: from the time clamd takes
// for a small mail to the time after which an MTA gives up.
var latency = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120}

// Metrics counts messages. All methods may be called at once from any goroutine.
type Metrics struct {
	registry *prometheus.Registry

	messages, rules, findings, failures *prometheus.CounterVec
	recipients, bytes                   prometheus.Counter
	took, scanners, stages              *prometheus.HistogramVec

	questions *prometheus.CounterVec
	lists     *prometheus.HistogramVec

	reloads      *prometheus.CounterVec
	loaded, well prometheus.Gauge

	names bounded
}

// New returns counters of a process of that version, whose configuration was read now.
func New(version string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), names: bounded{known: map[string]map[string]bool{}}}
	m.messages = m.counters("messages_total",
		"Messages judged, and stages before the message that were refused, by what was answered.", "stage", "action")
	m.rules = m.counters("rule_hits_total", "Recipients for whom a rule decided, by the rule's name and what it did.", "rule", "action")
	m.findings = m.counters("findings_total", "Findings, by name and kind.", "finding", "kind")
	m.failures = m.counters("scanner_errors_total", "Scans that came to no result, by scanner.", "scanner")
	m.recipients = m.counter("recipients_total", "Recipients of the messages judged.")
	m.bytes = m.counter("message_bytes_total", "Bytes of the messages judged.")
	m.took = m.histograms("message_seconds", "Time from the last byte of a message to its answer.", "action")
	m.scanners = m.histograms("scanner_seconds", "Time a scanner took for a message.", "scanner")
	m.stages = m.histograms("stage_seconds", "Time a message took for a stage of its way, if it came there.", "stage")
	m.questions = m.counters("dnslist_questions_total", "Questions to DNS lists, by what became of them.", "list", "result")
	m.lists = m.histograms("dnslist_seconds", "Time until a DNS list answered, or was given up.", "list")
	m.reloads = m.counters("reloads_total", "Configurations read after the first one, by whether they are used.", "result")
	for _, result := range []string{used, refused} { // an alert goes by the first one
		m.reloads.WithLabelValues(result)
	}
	m.loaded = m.gauge("configuration_timestamp_seconds", "When the configuration in force was read.")
	m.well = m.gauge("last_reload_successful", "1 if the last configuration that was read is used.")
	m.loaded.SetToCurrentTime()
	m.well.Set(1)
	m.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	labels := prometheus.Labels{"version": version, "goversion": runtime.Version()}
	m.Gauge("build_info", "1; the versions are labels.", labels, func() float64 { return 1 })
	return m
}

// Observe counts a message.
func (m *Metrics) Observe(r policy.Record) {
	m.messages.WithLabelValues(r.Stage, r.Action).Inc()
	if r.Stage == message {
		m.took.WithLabelValues(r.Action).Observe(r.Took.Go().Seconds())
	}
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

// message is the stage at which there is one, and its time is measured.
const message = "message"

// Stage counts the time that a message took for a stage of its way.
func (m *Metrics) Stage(name string, took time.Duration) {
	m.stages.WithLabelValues(name).Observe(took.Seconds())
}

// List counts a question to a DNS list. One that is not put, since the list is off,
// takes no time that counts.
func (m *Metrics) List(list, result string, put bool, took time.Duration) {
	list = m.names.bound("list", list)
	m.questions.WithLabelValues(list, result).Inc()
	if put {
		m.lists.WithLabelValues(list).Observe(took.Seconds())
	}
}

// The results of a reload.
const used, refused = "used", "refused"

// Reloaded counts a configuration that was read, used or not.
func (m *Metrics) Reloaded(err error) {
	if err != nil {
		m.reloads.WithLabelValues(refused).Inc()
		m.well.Set(0)
		return
	}
	m.reloads.WithLabelValues(used).Inc()
	m.well.Set(1)
	m.loaded.SetToCurrentTime()
}

// scrapeTime bounds one scrape.
const scrapeTime = 10 * time.Second

// Handler serves the counts in the text format of Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 3, Timeout: scrapeTime})
}
