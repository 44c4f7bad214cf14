package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/history"
	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/policy/notify"
	"github.com/milterscan/milterscan/policy/quarantine"
	"github.com/milterscan/milterscan/policy/store"
)

// expireEvery is how often the daemon removes what is too old.
const expireEvery = time.Hour

// memory is the history as the daemon writes it.
type memory struct {
	*history.Writer
	store *store.History
}

// newMemory starts the history, or returns nil if nothing is to be remembered.
func newMemory(c config.History, log *zap.Logger) *memory {
	if c.File == "" {
		return nil
	}
	if _, err := os.Stat(filepath.Dir(c.File)); errors.Is(err, fs.ErrNotExist) {
		log.Info("nothing is remembered: the directory of the history is not there", zap.String("file", c.File))
		return nil
	}
	s := store.NewHistory(c.File, func(err error) { log.Warn("history", zap.Error(err)) })
	return &memory{store: s, Writer: history.NewWriter(s, func(lost int, err error) {
		log.Warn("the history cannot be written; mail goes on", zap.Int("lost", lost), zap.Error(err))
	})}
}

// Close writes what is left.
func (m *memory) Close() {
	if m != nil {
		m.Writer.Close()
		m.store.Close()
	}
}

// teller is told about every ruling of a generation.
func (d *daemon) teller(c *config.Config) func(*judge.Result) {
	privacy, local := c.History.Privacy(), policy.Local(c.Local)
	return func(r *judge.Result) {
		d.tell(r)
		if d.memory == nil && len(r.Decision.Notices) == 0 {
			return
		}
		record := r.Record()
		if d.memory != nil {
			d.memory.Remember(privacy.Apply(record))
		}
		if letters := notify.Letters(record, r.Decision, local); len(letters) > 0 {
			d.announce(letters)
		}
	}
}

// expireOn removes what is too old, now and at every tick, until ctx is done.
func (d *daemon) expireOn(ctx context.Context, tick <-chan time.Time) {
	for {
		d.expire(ctx, d.config.Load())
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
	}
}

// expire removes what is too old. Where nothing is kept there is nothing to open.
func (d *daemon) expire(ctx context.Context, c *config.Config) {
	now := time.Now()
	if _, err := os.Stat(c.Quarantine.Dir); err == nil {
		dir := d.kept.quarantine(c.Quarantine.Dir)
		n, err := quarantine.Expire(ctx, dir, c.Quarantine.Retention(), now)
		d.expired("quarantine", n, errors.Join(err, dir.Tidy(now)))
	}
	if c.Greylist.Enabled {
		n, err := d.kept.greylist(c.Greylist.File).Expire(ctx, now, c.Greylist.Entries)
		d.expired("greylist", n, err)
	}
	if d.memory != nil && c.History.Keep > 0 {
		n, err := d.memory.store.Expire(ctx, now.Add(-c.History.Keep.Go()))
		d.expired("history", n, err)
	}
}

func (d *daemon) expired(what string, n int, err error) {
	switch {
	case err != nil && !errors.Is(err, context.Canceled):
		d.log.Warn("what is too old cannot be removed", zap.String("from", what), zap.Error(err))
	case n > 0:
		d.log.Info("removed what was too old", zap.String("from", what), zap.Int("messages", n))
	}
}
