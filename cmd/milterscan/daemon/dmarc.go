package daemon

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/dmarc"
	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/policy/tell/metrics"
)

// How often what DMARC found is written down, and it is looked whether reports are due.
const dmarcEvery = 30 * time.Second

// dmarcReports counts what DMARC finds, and sends the reports about it.
type dmarcReports struct {
	d         *Daemon
	collector dmarc.Collector
	store     dmarc.Store // of the loop alone; nil before it is used
	file      string      // of the store
	again     time.Time   // when the next round may be
	missed    int64       // messages that were known to be lost at the last round
	apart     bool        // what was counted did not come to other hosts' counts at the last round

	sent, unwanted, failed atomic.Int64
}

// note counts a message of which a domain wants to know. It takes no time but that: no file is
// touched.
func (r *dmarcReports) note(ctx context.Context, result *judge.Result, c *config.Config) {
	if !c.DMARC.Enabled || result.Message == nil {
		return
	}
	if e := r.d.Evaluations.Of(ctx, result.Message); e != nil {
		r.collector.Note(e, result.Decision, time.Now())
	}
}

// run writes down what was counted and sends the reports that are due, at every tick and, the
// first alone, at the end.
func (r *dmarcReports) run(ctx context.Context, tick <-chan time.Time) {
	defer r.end()
	atEach(ctx, tick, func(now time.Time) { r.round(ctx, r.d.config.Load(), now) })
}

// end writes down what was counted last.
func (r *dmarcReports) end() {
	ctx, cancel := context.WithTimeout(context.Background(), parting)
	defer cancel()
	r.flush(ctx, r.d.config.Load())
	if r.store != nil {
		r.store.Close()
	}
}

// use opens the store of a configuration.
func (r *dmarcReports) use(c *config.Config) {
	if file := c.DMARC.File; r.store == nil || r.file != file {
		if r.store != nil {
			r.store.Close()
		}
		r.store, r.file = r.d.Stores.Reports(c), file
	}
}

func (r *dmarcReports) flush(ctx context.Context, c *config.Config) {
	if !c.DMARC.Enabled {
		return
	}
	r.use(c)
	if err := r.collector.Flush(ctx, r.store, c.DMARC, time.Now()); ctx.Err() == nil {
		r.tell(err)
	}
	if lost := r.collector.Lost(); lost > r.missed {
		r.d.log.Warn("messages are in no report of DMARC, as there is no room", zap.Int64("messages", lost-r.missed))
		r.missed = lost
	}
}

// tell logs what became of what was counted.
func (r *dmarcReports) tell(err error) {
	apart := errors.Is(err, dmarc.ErrUnshared)
	switch {
	case apart && !r.apart:
		r.d.log.Warn("what DMARC found cannot be added to that of other hosts yet; mail goes on", zap.Error(err))
	case !apart && err != nil:
		r.d.log.Warn("what DMARC found cannot be written down and is kept in memory; mail goes on", zap.Error(err))
	case err == nil && r.apart:
		r.d.log.Info("what DMARC found is with that of other hosts again")
	}
	r.apart = apart
}

func (r *dmarcReports) round(ctx context.Context, c *config.Config, now time.Time) {
	r.flush(ctx, c)
	if !c.DMARC.Enabled || now.Before(r.again) {
		return
	}
	o, err := pipeline.ReportPost(c, r.store).Round(ctx, now)
	r.sent.Add(int64(o.Sent))
	r.unwanted.Add(int64(o.Unwanted))
	r.failed.Add(int64(o.Failed))
	fields := []zap.Field{zap.Int("sent", o.Sent), zap.Int("unwanted", o.Unwanted), zap.Int("failed", o.Failed), zap.Int("later", o.PutOff)}
	switch {
	case err != nil && !errors.Is(err, context.Canceled) && ctx.Err() == nil:
		r.d.log.Warn("reports of DMARC cannot all be sent; mail goes on", append(fields, zap.Error(err))...)
	case o != dmarc.Outcome{}:
		r.d.log.Info("reports of DMARC sent", fields...)
	}
	r.again = time.Time{}
	if o.PutOff > 0 || err != nil && o == (dmarc.Outcome{}) {
		r.again = now.Add(leastPause)
	}
}

// samples returns the counts.
func (r *dmarcReports) samples() []metrics.Sample {
	return []metrics.Sample{{Labels: []string{"sent"}, Value: float64(r.sent.Load())},
		{Labels: []string{"unwanted"}, Value: float64(r.unwanted.Load())},
		{Labels: []string{"failed"}, Value: float64(r.failed.Load())}}
}

func (d *Daemon) countReports(m *metrics.Metrics) {
	m.Totals("dmarc_reports_total", "Reports of DMARC, by what became of them.", []string{"result"}, func() []metrics.Sample {
		return d.reports.samples()
	})
	m.Total("dmarc_messages_lost_total", "Messages that are in no report of DMARC.", nil, func() float64 {
		return float64(d.reports.collector.Lost())
	})
}
