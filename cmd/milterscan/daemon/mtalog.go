package daemon

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/disk"
	"github.com/milterscan/milterscan/policy/keep/mtalog"
)

// How often the daemon looks whether the log to read is another one, and writes down how
// the reading goes on.
const (
	settingsEvery = time.Second
	statusEvery   = time.Minute
)

// reading holds the facts about the MTA's log that is read.
type reading struct {
	state atomic.Pointer[mtalog.State] // nil while none is read
}

// expect says that the MTA's log is to tell of a message.
func (g *reading) expect(r policy.Record) {
	if s := g.state.Load(); s != nil && r.Passed() {
		s.Expect(r.QueueID, time.Now())
	}
}

// readMTALog reads the log that the configuration of the moment names, until ctx is
// done. Mail does not wait for it.
func (d *Daemon) readMTALog(ctx context.Context) {
	clock := time.NewTicker(settingsEvery)
	defer clock.Stop()
	for ctx.Err() == nil {
		c := d.config.Load()
		running, stop := context.WithCancel(ctx)
		var loop sync.WaitGroup
		if c.MTALog.Enabled() && d.recorder.Remembers() {
			f := d.follower(c)
			d.reading.state.Store(f.State)
			loop.Go(func() { f.Run(running) })
			loop.Go(func() { d.watchMTALog(running, f, c.History.StatusFile()) })
		}
		for ctx.Err() == nil && sameLog(c, d.config.Load()) {
			select {
			case <-ctx.Done():
			case <-clock.C:
			}
		}
		stop()
		loop.Wait()
		d.reading.state.Store(nil)
	}
}

func sameLog(a, b *config.Config) bool {
	return a.MTALog == b.MTALog && reflect.DeepEqual(a.History, b.History)
}

func (d *Daemon) follower(c *config.Config) *mtalog.Follower {
	f := &mtalog.Follower{
		Store: d.Stores.Events(c.History.EventsFile()), File: c.MTALog.File, Zone: c.MTALog.Location(),
		Change: c.History.KeptOfEvent, State: mtalog.NewState(),
		Warn: func(err error) { d.log.Warn("the MTA's log is not read as it should be; mail goes on", zap.Error(err)) },
	}
	if c.MTALog.Journal {
		f.Journal = mtalog.Journalctl
	}
	d.log.Info("reading the MTA's log", zap.String("from", f.Source()))
	return f
}

// watchMTALog writes down how the reading goes on, and says once when the log tells
// nothing of the messages that pass.
func (d *Daemon) watchMTALog(ctx context.Context, f *mtalog.Follower, file string) {
	said, failed, clock := false, error(nil), time.NewTicker(statusEvery)
	defer clock.Stop()
	for {
		status := f.State.Status(f.Source(), time.Now())
		if silent := status.Silent(status.Time); silent != said {
			said = silent
			if silent {
				d.log.Warn("the MTA's log tells nothing of the messages that pass: is it another MTA's?", zap.String("from", status.Source),
					zap.Time("since", status.Waiting))
			}
		}
		err := writeStatus(file, status)
		if err != nil && failed == nil {
			d.Stores.Warn(fmt.Errorf("the state of the MTA's log cannot be written down: %w", err))
		}
		failed = err
		select {
		case <-ctx.Done():
			return
		case <-clock.C:
		}
	}
}

func writeStatus(file string, s mtalog.Status) error {
	dir, err := disk.Open(filepath.Dir(file), "")
	if err != nil {
		return err
	}
	defer dir.Close()
	return disk.Write(dir, filepath.Base(file), func(w io.Writer) error {
		_, err := w.Write(append(policy.JSON(s), '\n'))
		return err
	})
}
