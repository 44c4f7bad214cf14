package daemon

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/console/link"
	"github.com/milterscan/milterscan/cmd/milterscan/doctor"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/policy/config"
	folk "github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/people/digest"
	"github.com/milterscan/milterscan/policy/tell/metrics"
	"github.com/milterscan/milterscan/policy/token"
)

// How often it is looked whether digests are due, and what became of those that were sent; and how long the
// MTA is left alone that does not take them.
const (
	digestEvery = 20 * time.Second
	settleEvery = 5 * time.Minute
	leastPause  = time.Minute
	mostPause   = 15 * time.Minute
)

// tidings is what became of digests since the start.
type tidings struct{ sent, failed, bounced atomic.Int64 }

// digests sends digests, one round after the other.
type digests struct {
	*pipeline.Digests
	tidings
	d      *Daemon
	pause  time.Duration // after the last round; 0 if all was sent
	again  time.Time     // when the next round may be
	settle time.Time     // when it is asked next what became of digests
}

func (d *Daemon) newDigests() *digests {
	sent := pipeline.NewDigests(d.Directory, func(err error) { d.log.Warn("a digest was refused", zap.Error(err)) })
	sent.Share(d.Stores)
	return &digests{Digests: sent, d: d}
}

// run sends the digests that are due at every tick, until ctx is done.
func (g *digests) run(ctx context.Context, tick <-chan time.Time) {
	atEach(ctx, tick, func(now time.Time) { g.round(ctx, g.d.config.Load(), now) })
}

// round sends the digests that are due now.
func (g *digests) round(ctx context.Context, c *config.Config, now time.Time) {
	if !now.Before(g.again) {
		begun := time.Now()
		o, err := g.Round(ctx, c, now)
		g.note(ctx, o, err, time.Since(begun))
		g.wait(o, err, now)
	}
	if !now.Before(g.settle) {
		g.settle = now.Add(settleEvery)
		n, err := g.Settle(ctx, c, now)
		g.bounced.Add(int64(n))
		if err != nil && ctx.Err() == nil {
			g.d.log.Warn("it is not known what became of digests", zap.Error(err))
		}
		g.expire(ctx, c, now)
	}
}

// note logs a round in which something was sent, or should have been.
func (g *digests) note(ctx context.Context, o digest.Outcome, err error, took time.Duration) {
	g.sent.Add(int64(o.Sent))
	g.failed.Add(int64(o.Failed))
	fields := []zap.Field{zap.Int("sent", o.Sent), zap.Int("refused", o.Failed), zap.Int("later", o.PutOff), zap.Duration("took", took)}
	switch {
	case err != nil && !errors.Is(err, context.Canceled) && ctx.Err() == nil:
		g.d.log.Warn("digests cannot be sent and are tried again; mail goes on", append(fields, zap.Error(err))...)
	case o.Sent+o.Failed > 0:
		g.d.log.Info("digests sent", fields...)
	}
}

// wait leaves the MTA, or the store, alone for longer and longer while nothing comes of it.
func (g *digests) wait(o digest.Outcome, err error, now time.Time) {
	if o.PutOff == 0 && (err == nil || o.Sent+o.Failed > 0) {
		g.pause, g.again = 0, time.Time{}
		return
	}
	g.pause = min(max(2*g.pause, leastPause), mostPause)
	g.again = now.Add(g.pause)
}

// rememberedFor is how long it is remembered how far the digests of persons are who get none any more.
const rememberedFor = 60 * 24 * time.Hour

// expire forgets those who have got none for long.
func (g *digests) expire(ctx context.Context, c *config.Config, now time.Time) {
	if !c.People.Digest.Enabled {
		return
	}
	if _, err := g.Book(c).ExpireDigests(ctx, now.Add(-rememberedFor)); err != nil && ctx.Err() == nil {
		g.d.log.Warn("old digests cannot be forgotten", zap.Error(err))
	}
}

// dropped says who gets no digests any more.
func (g *digests) dropped(ctx context.Context) []doctor.Finding {
	c := g.d.config.Load()
	if !c.People.Digest.Enabled {
		return nil
	}
	list, err := g.Book(c).FailedDigests(ctx, c.People.Digest.DropAfter)
	if err != nil {
		return nil // the rounds say so
	}
	found := doctor.Dropped(list)
	for i := range found {
		found[i].Check = "digests"
	}
	return found
}

// samples returns the counts.
func (t *tidings) samples() []metrics.Sample {
	return []metrics.Sample{{Labels: []string{"sent"}, Value: float64(t.sent.Load())},
		{Labels: []string{"refused"}, Value: float64(t.failed.Load())},
		{Labels: []string{"bounced"}, Value: float64(t.bounced.Load())}}
}

// linkHost is the daemon as the pages of links see it.
type linkHost struct{ host }

// Key returns the key of links.
func (h linkHost) Key() ([]byte, error) {
	return token.KeyFile(h.Config().Quarantine.LinkKey()).Read()
}

// Terms returns what recipients may do now.
func (h linkHost) Terms() link.Terms {
	p := h.Config().People
	t := link.Terms{Classes: p.Pages.Classes, Releases: p.Pages.Release, Allow: p.Lists.Recipients.Allow != "none",
		Block: p.Lists.Recipients.Block}
	if len(p.Pages.Login) > 0 {
		t.Mine = pipeline.PageOfRecipients
	}
	return t
}

// Book remembers links that were used.
func (h linkHost) Book() link.Book { return h.Folk() }

// List makes an entry in the list of a recipient, in the name of that one.
func (h linkHost) List(ctx context.Context, e folk.Entry) error {
	_, err := h.Folk().Add(ctx, folk.Maker{Name: e.Owner, Level: folk.OfRecipient, Terms: h.Config().People.Lists}, e)
	return err
}
