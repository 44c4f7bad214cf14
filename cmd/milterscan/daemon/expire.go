package daemon

import (
	"context"
	"errors"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

// expireEvery is how often the daemon removes old messages and records.
const expireEvery = time.Hour

// lettersEvery is how often words of earlier mail are forgotten, whether mail comes or not.
const lettersEvery = time.Minute

// forgetLetters forgets words of earlier mail whose time is over at every tick, until ctx is done.
func (d *Daemon) forgetLetters(ctx context.Context, tick <-chan time.Time) {
	atEach(ctx, tick, func(time.Time) { d.Letters.Forget() })
}

// teller returns the function that records every ruling of a generation.
func (d *Daemon) teller(c *config.Config) func(context.Context, *judge.Result) {
	return func(ctx context.Context, r *judge.Result) {
		told := r.Told()
		d.journal.message(told)
		d.metrics.Observe(told)
		d.steps(r)
		d.health.note(r)
		d.verdicts.note(r)
		d.reading.expect(told)
		d.contacts.learn(r, c)
		d.pass(ctx, r, c)
		begun := time.Now()
		d.recorder.Enter(ctx, r, c)
		d.reports.note(ctx, r, c)
		d.samples.take(r, c.Replay)
		d.metrics.Stage("tell", time.Since(begun))
	}
}

// expireOn removes old messages and records, now and at every tick, until ctx is done.
func (d *Daemon) expireOn(ctx context.Context, tick <-chan time.Time) {
	d.expire(ctx, d.config.Load())
	atEach(ctx, tick, func(time.Time) { d.expire(ctx, d.config.Load()) })
}

// expire removes messages and records that are too old. It opens no store that is not in use.
func (d *Daemon) expire(ctx context.Context, c *config.Config) {
	now := time.Now()
	n, err := quarantine.Round(ctx, d.Stores.Quarantine(c), c.Retention(), now)
	d.expired("quarantine", n, err)
	d.expireSamples(ctx, c.Replay, now)
	d.countUnasked(ctx, c)
	d.forgetRequests(ctx, c, now)
	if c.Greylist.Enabled {
		n, err := d.Stores.Greylist(c).Expire(ctx, now, c.Greylist.Entries)
		d.expired("greylist", n, err)
	}
	if c.Contact.Enabled {
		n, err := d.Stores.Contact(c.Contact.File).Expire(ctx, now, c.Contact.Entries)
		d.expired("contact", n, err)
	}
	if len(c.Rate.Limits) > 0 {
		for _, counts := range d.Stores.Counts(c) {
			n, err := counts.Expire(ctx, now, c.Rate.Entries)
			d.expired("rate", n, err)
		}
	}
	if _, err := os.Stat(c.History.EventsFile()); err == nil && c.History.File != "" { // also of a log that is not read any more
		n, err := d.Stores.Events(c.History.EventsFile()).Expire(ctx, since(now, c.History.Keep.Go()), c.MTALog.Entries)
		d.expired("mta_log", n, err)
	}
	if d.Stores.People(c).There() == nil {
		n, err := d.Stores.People(c).ExpireEntries(ctx, now)
		d.expired("people", n, err)
	}
	if c.History.Keep > 0 {
		n, err := d.recorder.Expire(ctx, now.Add(-c.History.Keep.Go()))
		d.expired("history", n, err)
	}
}

// since returns when a span began that ends now; nothing began before one of no length,
// which is for ever.
func since(now time.Time, keep time.Duration) time.Time {
	if keep == 0 {
		return time.Time{}
	}
	return now.Add(-keep)
}

func (d *Daemon) expired(what string, n int, err error) {
	switch {
	case err != nil && !errors.Is(err, context.Canceled):
		d.log.Warn("old messages or records cannot be removed", zap.String("from", what), zap.Error(err))
	case n > 0:
		d.log.Info("removed old messages or records", zap.String("from", what), zap.Int("messages", n))
	}
}
