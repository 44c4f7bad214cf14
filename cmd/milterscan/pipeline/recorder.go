package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/store"
	"github.com/milterscan/milterscan/policy/tell/notify"
)

// expireEvery is how often the daemon removes what is too old.
const expireEvery = time.Hour

// memory is the history as it is written.
type memory struct {
	*history.Writer
	store *store.History
}

// newMemory starts the history, or returns nil if nothing is to be remembered:
// none is wanted, or the directory for it is not there.
func newMemory(c config.History, warn func(error)) *memory {
	if _, err := os.Stat(filepath.Dir(c.File)); c.File == "" || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	s := store.NewHistory(c.File, warn)
	return &memory{store: s, Writer: history.NewWriter(s, func(lost int, err error) {
		warn(fmt.Errorf("the history cannot be written, mail goes on; %d records are lost: %w", lost, err))
	})}
}

// accounts are what is told about messages when they have been judged: a record
// of each, and letters to our own people.
type accounts struct {
	memory  *memory // nil if nothing is remembered
	notices *notify.Queue
	warn    func(error)
}

func newAccounts(c *config.Config, warn func(error)) *accounts {
	return &accounts{newMemory(c.History, warn), notify.NewQueue(c.Notices.Dir, c.Notices.Queue), warn}
}

// Close writes what is left.
func (a *accounts) Close() {
	if a.memory != nil {
		a.memory.Writer.Close()
		a.memory.store.Close()
	}
}

// enter takes a ruling down by the terms of its configuration. Letters are on the
// disk before the message is answered, so that none is lost with us; if that
// fails the log is all there is.
func (a *accounts) enter(r *judge.Result, c *config.Config) {
	if a.memory == nil && len(r.Decision.Notices) == 0 {
		return
	}
	record := r.Record()
	if a.memory != nil {
		a.memory.Remember(c.History.Privacy().Apply(record))
	}
	if err := a.notices.Add(notify.Letters(record, r.Decision, policy.Local(c.Local))); err != nil {
		a.warn(fmt.Errorf("somebody is not told of %s: %w", record.ID, err))
	}
}

// teller is told about every ruling of a generation.
func (d *daemon) teller(c *config.Config) func(*judge.Result) {
	return func(r *judge.Result) {
		d.tell(r)
		d.accounts.enter(r, c)
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
	if len(c.Rate.Limits) > 0 {
		n, err := d.kept.rate(c.Rate.File).Expire(ctx, now, c.Rate.Entries)
		d.expired("rate", n, err)
	}
	if m := d.accounts.memory; m != nil && c.History.Keep > 0 {
		n, err := m.store.Expire(ctx, now.Add(-c.History.Keep.Go()))
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
