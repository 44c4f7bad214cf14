package metrics

import (
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

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

func (m *Metrics) gauge(name, help string) prometheus.Gauge {
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: prefix + name, Help: help})
	m.registry.MustRegister(g)
	return g
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

// Sample is a value and those of its labels.
type Sample struct {
	Labels []string
	Value  float64
}

// Gauges adds values that come and go with their labels, such as one for each engine.
// They are asked for at every scrape.
func (m *Metrics) Gauges(name, help string, labels []string, values func() []Sample) {
	m.table(prometheus.GaugeValue, name, help, labels, values)
}

// Totals adds counts that another part keeps, as Gauges does values.
func (m *Metrics) Totals(name, help string, labels []string, values func() []Sample) {
	m.table(prometheus.CounterValue, name, help, labels, values)
}

func (m *Metrics) table(kind prometheus.ValueType, name, help string, labels []string, values func() []Sample) {
	m.registry.MustRegister(&table{prometheus.NewDesc(prefix+name, help, labels, nil), kind, labels, &m.names, values})
}

// table is a collector of samples.
type table struct {
	desc   *prometheus.Desc
	kind   prometheus.ValueType
	labels []string
	names  *bounded
	values func() []Sample
}

// Describe makes table a prometheus.Collector.
func (t *table) Describe(out chan<- *prometheus.Desc) { out <- t.desc }

// Collect sends the values, those of labels that are over the bound added up.
func (t *table) Collect(out chan<- prometheus.Metric) {
	sums, order := map[string]*Sample{}, []string(nil)
	for _, s := range t.values() {
		values := make([]string, len(t.labels))
		for i, label := range t.labels {
			values[i] = t.names.bound(label, s.Labels[i])
		}
		key := strings.Join(values, "\x00")
		if sums[key] == nil {
			sums[key], order = &Sample{Labels: values}, append(order, key)
		}
		sums[key].Value += s.Value
	}
	for _, key := range order {
		out <- prometheus.MustNewConstMetric(t.desc, t.kind, sums[key].Value, sums[key].Labels...)
	}
}

// mostValues bounds the values of one label: configurations have some hundred
// rules, and whatever comes after these counts as "other".
const mostValues = 500

// bounded keeps the values of labels few.
type bounded struct {
	mu    sync.Mutex
	known map[string]map[string]bool
}

// bound returns a value of a label, or "other" once there are too many of them. An
// engine may name what it finds in any charset; Prometheus takes only UTF-8.
func (b *bounded) bound(label, value string) string {
	value = strings.ToValidUTF8(value, "?")
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
