package daemon

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/policy/keep/awaited"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/tell/metrics"
)

// awaitEvery is how often it is looked whether a kept message is to be asked about.
const awaitEvery = 2 * time.Second

// verdicts asks engines for the verdicts that kept messages await. Its rounds are made by one goroutine.
type verdicts struct {
	d      *Daemon
	asker  *awaited.Asker
	of     *config.Config // whose terms these are
	terms  func(engine string) awaited.Terms
	failed bool // the last round, which was said

	clean, infected, none atomic.Int64
}

func newVerdicts(d *Daemon) *verdicts { return &verdicts{d: d, asker: awaited.New()} }

// note takes note of a message that is kept and awaits a verdict.
func (v *verdicts) note(r *judge.Result) {
	if r.Decision.Keep && len(policy.Jobs(r.Found)) > 0 {
		v.asker.Note(r.ID, time.Now())
	}
}

// run asks for verdicts at every tick, until ctx is done.
func (v *verdicts) run(ctx context.Context, tick <-chan time.Time) {
	atEach(ctx, tick, func(now time.Time) { v.round(ctx, v.d.config.Load(), now) })
}

func (v *verdicts) round(ctx context.Context, c *config.Config, now time.Time) {
	err := v.use(c)
	if err == nil {
		err = v.asker.Round(ctx, v.with(c), now)
	}
	if err != nil && !v.failed && ctx.Err() == nil && !errors.Is(err, context.Canceled) {
		v.d.log.Warn("verdicts on kept messages cannot all be asked for or acted on; these stay kept, and it is tried again", zap.Error(err))
	}
	v.failed = err != nil
}

// use makes the engines of a configuration.
func (v *verdicts) use(c *config.Config) (err error) {
	if v.of == c {
		return nil
	}
	open := &pipeline.Pipeline{Shared: v.d.Shared, Judge: v.d.current.Load(), MaxMessage: int64(c.Limits.Message)}
	if v.terms, err = pipeline.AwaitTerms(c, open); err == nil {
		v.of = c
	}
	return err
}

func (v *verdicts) with(c *config.Config) awaited.With {
	kept := v.d.Stores.Quarantine(c)
	return awaited.With{
		Store: kept, Lock: pipeline.AwaitLock(c), Terms: v.terms, Heard: v.heard,
		Releaser: func(by string) quarantine.Releaser { return pipeline.Releaser(c, kept, by) },
		Tell: func(ctx context.Context, t awaited.Told) error {
			return v.d.recorder.Tell(ctx, pipeline.AwaitNotices(c, t))
		},
	}
}

// heard logs and counts a verdict.
func (v *verdicts) heard(t awaited.Told) {
	fields := []zap.Field{zap.String("id", t.Entry.Record.ID), zap.String("engine", t.Engine), zap.String("verdict", string(t.Verdict)),
		zap.Int("released", len(t.To)), zap.Bool("deleted", t.Deleted)}
	if t.Found != nil {
		fields = append(fields, zap.String("finding", t.Found.Rule))
	}
	if t.Stays != nil {
		fields = append(fields, zap.NamedError("stays", t.Stays))
	}
	switch t.Verdict {
	case quarantine.FoundLater:
		v.infected.Add(1)
	case quarantine.NoVerdict:
		v.none.Add(1)
	default:
		v.clean.Add(1)
		v.d.log.Info("a kept message is clean, as its engine says now", fields...)
		return
	}
	v.d.log.Warn("a kept message that awaited a verdict stays, or is deleted", fields...)
}

// countVerdicts adds how it is with kept messages that await verdicts.
func (d *Daemon) countVerdicts(m *metrics.Metrics) {
	m.Gauge("verdicts_awaited", "Kept messages that await the verdict of an engine.", nil,
		func() float64 { return float64(d.verdicts.asker.Count()) })
	m.Totals("verdicts_total", "Verdicts on kept messages that awaited one.", []string{"verdict"}, func() []metrics.Sample {
		v := d.verdicts
		return []metrics.Sample{{Labels: []string{string(quarantine.CleanLater)}, Value: float64(v.clean.Load())},
			{Labels: []string{string(quarantine.FoundLater)}, Value: float64(v.infected.Load())},
			{Labels: []string{string(quarantine.NoVerdict)}, Value: float64(v.none.Load())}}
	})
}
