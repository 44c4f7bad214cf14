package daemon

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"
)

// How often the daemon indexes what has come to the history, and how often it says again that
// it cannot.
const (
	indexEvery = 2 * time.Second
	sayAgain   = time.Hour
)

// indexOn indexes the history, now and at every tick, until ctx is done. Between two steps it
// rests for as long as a step took, so that mail has the processors: an old history is
// indexed in the background.
func (d *Daemon) indexOn(ctx context.Context, tick <-chan time.Time) {
	var said time.Time
	for {
		d.load(ctx)
		err := d.index(ctx)
		if err != nil && !errors.Is(err, context.Canceled) && time.Since(said) > sayAgain {
			said = time.Now()
			d.log.Warn("the history cannot be indexed, searches take longer", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
	}
}

// load puts records into the history that had to wait for it. Why that fails is told with the first that waits.
func (d *Daemon) load(ctx context.Context) {
	if n, _ := d.recorder.Load(ctx); n > 0 {
		d.log.Info("records that waited are in the history", zap.Int("records", n))
	}
}

// index makes steps until there is nothing left to do.
func (d *Daemon) index(ctx context.Context) error {
	for {
		begun := time.Now()
		more, err := d.recorder.Index(ctx)
		if !more || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Since(begun)):
		}
	}
}
