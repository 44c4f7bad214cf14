package daemon

import (
	"time"

	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	book "github.com/milterscan/milterscan/policy/people/lists"
	"github.com/milterscan/milterscan/policy/tell/metrics"
	"github.com/milterscan/milterscan/scan/open/worker"
)

// counts adds to the metrics what other parts of the daemon know.
func (d *Daemon) counts() *metrics.Metrics {
	m := metrics.New(d.version)
	m.Gauge("generation", "Number of the configuration in force; 1 is the first.", nil, func() float64 {
		return float64(d.current.Load().Generation())
	})
	m.Gauge("troubles", "Checks, engines and stores that do not answer now.", nil, func() float64 { return float64(d.health.count()) })
	m.Gauges("ready", "1 while mail can be judged, as /readyz says.", nil, d.ready.sample)
	m.Total("history_records_lost_total", "Records that the history could not keep.", nil,
		func() float64 { return float64(d.recorder.Lost()) })
	m.Total("log_lines_lost_total", "Lines of the log that could not be written.", nil,
		func() float64 { return float64(d.journal.lost.Load()) })
	m.Totals("digests_total", "Digests, by what became of them.", []string{"result"}, func() []metrics.Sample { return d.digests.samples() })
	d.countReports(m)
	d.countVerdicts(m)
	d.countLists(m)
	d.countConnections(m)
	d.countSpool(m)
	d.countWorkers(m)
	d.countEngines(m)
	d.countStores(m)
	d.countFeeds(m)
	d.Heard = m.List
	return m
}

// steps counts the times that a message took.
func (d *Daemon) steps(r *judge.Result) {
	for _, s := range judge.Steps() {
		if took, ok := r.Step(s); ok {
			d.metrics.Stage(s.String(), took)
		}
	}
}

// book returns what people have settled, as it is in force.
func (d *Daemon) book() *book.Book { return d.Stores.Book(d.config.Load()) }

// countLists counts what people have settled, as it is in force.
func (d *Daemon) countLists(m *metrics.Metrics) {
	m.Gauge("lists_entries", "Senders that people allow and block, as far as they are in force.", nil, func() float64 {
		n, _ := d.book().Entries()
		return float64(n)
	})
	m.Gauge("lists_readable", "1 while the lists can be read where they are kept.", nil, func() float64 {
		if d.book().Failure() != nil {
			return 0
		}
		return 1
	})
	m.Gauges("lists_read_timestamp_seconds", "When the file of lists was last read.", nil, func() []metrics.Sample {
		_, at := d.book().Entries()
		if at.IsZero() {
			return nil
		}
		return []metrics.Sample{{Value: unix(at)}}
	})
}

func (d *Daemon) countConnections(m *metrics.Metrics) {
	gauge := func(name, help string, value func() int) {
		m.Gauge(name, help, nil, func() float64 { return float64(value()) })
	}
	gauge("connections", "Connections of MTAs now.", func() int { return d.server.Counts().Open })
	gauge("connections_waiting", "Connections of MTAs that wait for a place.", func() int { return d.server.Counts().Waiting })
	gauge("connections_limit", "Connections that may be open at once.", func() int { return d.server.Counts().Most })
	gauge("messages_in_flight", "Messages from the first of their content until the answer.", func() int { return d.server.Counts().InFlight })
	m.Total("connections_accepted_total", "Connections of MTAs.", nil, func() float64 { return float64(d.server.Counts().Accepted) })
	m.Total("connections_turned_away_total", "Connections that never got a place.", nil, func() float64 {
		return float64(d.server.Counts().TurnedAway)
	})
}

func (d *Daemon) countSpool(m *metrics.Metrics) {
	memory, disk := d.Spool.Limits()
	m.Gauge("spool_memory_bytes", "Bytes of messages in memory.", nil, func() float64 { memory, _ := d.Spool.Used(); return float64(memory) })
	m.Gauge("spool_disk_bytes", "Bytes of messages in files of the spool.", nil,
		func() float64 { _, disk := d.Spool.Used(); return float64(disk) })
	m.Gauge("spool_memory_limit_bytes", "Bytes of messages that may be in memory.", nil, func() float64 { return float64(memory) })
	m.Gauge("spool_disk_limit_bytes", "Bytes of messages that may be in files of the spool.", nil, func() float64 { return float64(disk) })
}

func (d *Daemon) countWorkers(m *metrics.Metrics) {
	m.Gauges("workers", "Children that read archives, by whether they are at work.", []string{"state"}, func() []metrics.Sample {
		c := d.Workers.Counts()
		return []metrics.Sample{{Labels: []string{"busy"}, Value: float64(c.Busy)}, {Labels: []string{"idle"}, Value: float64(c.Idle)}}
	})
	m.Gauge("workers_waiting", "Archives that wait for a child.", nil, func() float64 { return float64(d.Workers.Counts().Waiting) })
	m.Gauge("workers_limit", "Children that may be at work at once.", nil, func() float64 { return float64(d.Workers.Counts().Most) })
	m.Total("workers_started_total", "Children that were started.", nil, func() float64 { return float64(d.Workers.Counts().Started) })
	m.Totals("workers_ended_total", "Children that were ended, or ended, in the middle of an archive.", []string{"reason"},
		func() []metrics.Sample {
			ended := d.Workers.Counts().Ended
			var list []metrics.Sample
			for _, r := range worker.Reasons() {
				list = append(list, metrics.Sample{Labels: []string{string(r)}, Value: float64(ended[r])})
			}
			return list
		})
}

func (d *Daemon) countEngines(m *metrics.Metrics) {
	engines := func(name, help string, value func(engineState) (float64, bool)) {
		m.Gauges(name, help, []string{"engine"}, func() (list []metrics.Sample) {
			for _, s := range d.watch.known() {
				if v, ok := value(s); ok {
					list = append(list, metrics.Sample{Labels: []string{s.name}, Value: v})
				}
			}
			return list
		})
	}
	engines("engine_servers_up", "Servers of an engine that answer.", func(s engineState) (float64, bool) { return float64(s.up), s.asked })
	engines("engine_servers_down", "Servers of an engine that do not answer.", func(s engineState) (float64, bool) {
		return float64(s.down), s.asked
	})
	engines("engine_signatures_timestamp_seconds", "When the signatures of an engine were made, if it says so.",
		func(s engineState) (float64, bool) { return unix(s.signatures), !s.signatures.IsZero() })
}

func unix(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func (d *Daemon) countStores(m *metrics.Metrics) {
	kept := func(name, help string, value func(quarantine.Size) int64) {
		m.Gauges(name, help, []string{"class", "state"}, func() (list []metrics.Sample) {
			sizes, _ := d.watch.sized()
			for _, s := range sizes.Quarantine {
				list = append(list, metrics.Sample{Labels: []string{s.Class, string(s.State)}, Value: float64(value(s))})
			}
			return list
		})
	}
	kept("quarantine_messages", "Messages in the quarantine.", func(s quarantine.Size) int64 { return s.Messages })
	kept("quarantine_bytes", "Bytes of messages in the quarantine, on the disk.", func(s quarantine.Size) int64 { return s.Bytes })
	m.Gauge("quarantine_limit_bytes", "Bytes of messages the quarantine may hold; 0: no limit.", nil, func() float64 {
		return float64(d.config.Load().Quarantine.Size)
	})
	m.Gauges("history_records", "Records in the history.", nil, d.watch.records)
	m.Gauge("history_waiting_records", "Records that wait in a file for the shared database.", nil, func() float64 {
		n, _ := d.recorder.Waiting()
		return float64(n)
	})
	m.Gauge("history_waiting_bytes", "Bytes of the records that wait in a file for the shared database.",
		nil, func() float64 {
			_, n := d.recorder.Waiting()
			return float64(n)
		})
	m.Gauges("history_bytes", "Bytes that the history takes on the disk.", nil, d.watch.historyBytes)
	m.Gauges("stores_measured_timestamp_seconds", "When the sizes of the stores were measured.", nil, d.watch.measuredAt)
	d.countDisks(m)
	d.countFleet(m)
	d.countRedis(m)
}

// countFleet counts what concerns the database that hosts share, where they share one.
func (d *Daemon) countFleet(m *metrics.Metrics) {
	if d.Stores.Fleet == nil {
		return
	}
	m.Gauge("shared_database_up", "1 while the shared database can be used.", nil, func() float64 {
		if d.shares.Load() {
			return 1
		}
		return 0
	})
	m.Gauge("quarantine_waiting_messages", "Messages kept on this host, until they are moved into the shared database.",
		nil, func() float64 { return float64(d.spared(d.config.Load())) })
}

func (d *Daemon) countDisks(m *metrics.Metrics) {
	room := func(name, help string, value func(free, size int64) int64) {
		m.Gauges(name, help, []string{"store"}, func() (list []metrics.Sample) {
			sizes, _ := d.watch.sized()
			for _, r := range sizes.Rooms {
				list = append(list, metrics.Sample{Labels: []string{r.Store}, Value: float64(value(r.Free, r.Size))})
			}
			return list
		})
	}
	room("disk_free_bytes", "Room on the file system of a store.", func(free, _ int64) int64 { return free })
	room("disk_size_bytes", "Size of the file system of a store.", func(_, size int64) int64 { return size })
}

// records, historyBytes and measuredAt return one sample each, and none before the stores
// were measured.
func (w *watch) records() []metrics.Sample {
	sizes, _ := w.sized()
	return w.once(float64(sizes.Records))
}

func (w *watch) historyBytes() []metrics.Sample {
	sizes, _ := w.sized()
	return w.once(float64(sizes.HistoryBytes))
}

func (w *watch) measuredAt() []metrics.Sample {
	_, at := w.sized()
	return w.once(unix(at))
}

func (w *watch) once(value float64) []metrics.Sample {
	if _, at := w.sized(); at.IsZero() {
		return nil
	}
	return []metrics.Sample{{Value: value}}
}
