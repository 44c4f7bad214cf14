package daemon

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan/contents/virus"
)

// watch is what the daemon knows of engines and stores, so that a scrape reads
// it from memory. Engines and stores are asked by the clock, and only while counts
// are served.
type watch struct {
	mu       sync.Mutex
	engines  []engineState
	sizes    pipeline.Sizes
	measured time.Time // zero: not yet
	warned   bool      // that stores cannot be measured
}

// engineState is what an engine said of itself when it was asked last.
type engineState struct {
	name       string // as scanners have it: "virus/clamd"
	asked      bool   // it has servers; an engine that is built in has none
	up, down   int    // servers
	signatures time.Time
	health     []virus.Health
	err        error
}

// Times of the watch.
const (
	watchEvery   = 30 * time.Second
	engineTime   = 10 * time.Second // engines may take to say how they are
	measureEvery = time.Minute
	measureShare = 1000        // measuring takes at most one part in so many of the time
	measureTime  = time.Minute // it may take
)

// watchOn asks engines, and whether mail can be judged, at every tick.
func (d *Daemon) watchOn(ctx context.Context, tick <-chan time.Time) {
	d.greetEngines(ctx)
	for {
		if d.served() {
			d.ready.ask(ctx, d)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
		if d.served() {
			d.watch.know(askEngines(ctx, d.config.Load()))
		}
	}
}

// served reports whether counts can be fetched anywhere.
func (d *Daemon) served() bool { return len(d.config.Load().Metrics.Listen) > 0 }

// greetEngines says in the log which engines are there, and which are not: mail
// waits for those that are missing.
func (d *Daemon) greetEngines(ctx context.Context) {
	states := askEngines(ctx, d.first)
	for _, s := range states {
		for _, h := range s.health {
			d.log.Info("engine", zap.String("name", s.name), zap.String("address", h.Address), zap.String("version", h.Version))
		}
		if s.err != nil {
			d.log.Warn("an engine does not answer; \"milterscan doctor\" tells more", zap.String("name", s.name), zap.Error(s.err))
		}
	}
	d.watch.know(states)
}

// askEngines asks all engines at once how they are.
func askEngines(ctx context.Context, c *config.Config) []engineState {
	ctx, cancel := context.WithTimeout(ctx, engineTime)
	defer cancel()
	states := make([]engineState, len(c.Virus))
	var wg sync.WaitGroup
	for i, v := range c.Virus {
		wg.Go(func() { states[i] = askEngine(ctx, v) })
	}
	wg.Wait()
	return states
}

// askEngine asks one engine. Its signatures are as old as the oldest of those that its
// servers have.
func askEngine(ctx context.Context, c virus.Config) engineState {
	s := engineState{name: virus.NameOf(c), asked: c.Asks(), signatures: c.ListsTime()}
	if !s.asked {
		return s
	}
	e, err := virus.Open(c)
	if err != nil {
		return s // which kept the configuration from being used
	}
	s.health, s.err = e.Health(ctx)
	s.up, s.down = len(s.health), max(1, len(c.Address))-len(s.health)
	for _, h := range s.health {
		if !h.Signatures.IsZero() && (s.signatures.IsZero() || h.Signatures.Before(s.signatures)) {
			s.signatures = h.Signatures
		}
	}
	return s
}

// know takes what engines said.
func (w *watch) know(states []engineState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.engines = states
}

// known returns what engines said last.
func (w *watch) known() []engineState {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.engines
}

// measureOn measures the stores now and then, the more seldom the longer it takes.
func (d *Daemon) measureOn(ctx context.Context) {
	for ctx.Err() == nil {
		begun := time.Now()
		if d.served() {
			d.measure(ctx)
		}
		pause := time.NewTimer(max(measureEvery, measureShare*time.Since(begun)))
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
}

// measure measures the stores. That some cannot be measured is told once, until all
// can be again.
func (d *Daemon) measure(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, measureTime)
	defer cancel()
	sizes, err := d.Stores.Measure(ctx, d.config.Load())
	w := &d.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil && !w.warned && ctx.Err() == nil {
		d.Stores.Warn(err)
	}
	w.warned = err != nil
	w.sizes, w.measured = sizes, time.Now()
}

// sized returns the sizes of the stores, and when they were measured.
func (w *watch) sized() (pipeline.Sizes, time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sizes, w.measured
}
