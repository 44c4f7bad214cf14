package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/retro"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/tell/notify"
)

// How often the daemon looks whether a list has changed, when it holds the history against one for the second
// time, since mail may have been on its way when the list came, and how much it tells at once.
const (
	retroEvery  = 15 * time.Second
	retroAgain  = 2 * time.Minute
	retroMost   = 10_000 // messages that are looked at
	retroLogged = 100    // messages that are logged one by one
)

// lookback holds the history against lists that have changed.
type lookback struct {
	*Daemon
	lists map[string]*heldList
	told  *retro.Told
	of    string // the file of the history that told is about
}

// heldList is how it is with a list.
type heldList struct {
	mark any       // that changes whenever the list does
	runs int       // since it has changed
	next time.Time // when it is the time for the next
	said string    // the error that was logged last
}

// lookBack holds the history against lists, now and at every tick, until ctx is done.
func (d *Daemon) lookBack(ctx context.Context, tick <-chan time.Time) {
	b := &lookback{Daemon: d, lists: map[string]*heldList{}}
	look := func(time.Time) {
		if c := d.config.Load(); c.History.Retro.Enabled && d.recorder.Remembers() {
			b.round(ctx, c, time.Now())
		}
	}
	look(time.Now())
	atEach(ctx, tick, look)
}

// round looks at every list.
func (b *lookback) round(ctx context.Context, c *config.Config, now time.Time) {
	for _, f := range c.Feeds {
		t := b.Published.Table(f.Name)
		if t == nil {
			continue
		}
		b.list(ctx, c, now, "feed "+f.Name, t, func() (retro.List, error) { return retro.FromFeed(f.Name, t) })
	}
	for _, file := range retro.SignatureFiles(c) {
		info, err := os.Stat(file)
		if err != nil {
			continue // of which the reload says more
		}
		mark := fmt.Sprint(info.Size(), info.ModTime())
		b.list(ctx, c, now, file, mark, func() (retro.List, error) { return retro.FromSignatures(file) })
	}
}

// list holds the history against a list, if it has changed, or once more.
func (b *lookback) list(ctx context.Context, c *config.Config, now time.Time, name string, mark any, open func() (retro.List, error)) {
	l := b.lists[name]
	if l == nil || l.mark != mark {
		l = &heldList{mark: mark, next: now}
		b.lists[name] = l
	}
	if l.runs == 2 || now.Before(l.next) || ctx.Err() != nil {
		return
	}
	l.next = now.Add(retroAgain)
	list, err := open()
	if err != nil && !retro.Comparable(err) {
		l.runs = 2 // of a kind that the history knows nothing of, which does not change
		return
	}
	if err == nil {
		err = b.hold(ctx, c, now, list)
	}
	if err == nil {
		l.runs++
		return
	}
	if err.Error() != l.said && !errors.Is(err, context.Canceled) {
		l.said = err.Error()
		b.log.Warn("mail that has come cannot be held against a list; it is tried again", zap.String("list", name), zap.Error(err))
	}
}

// hold finds mail that went on with something that is on a list, and tells of what was not told yet.
func (b *lookback) hold(ctx context.Context, c *config.Config, now time.Time, list retro.List) error {
	since := now.Add(-c.History.Retro.Back.Go())
	a, err := retro.Find(ctx, b.recorder, []retro.List{list}, retro.Span{Since: since, Most: retroMost})
	if err != nil {
		return err
	}
	if b.told == nil || b.of != c.History.File {
		if b.told, err = retro.OpenTold(c.History.File); err != nil {
			b.log.Warn("what was told about mail that had something on a list is not known; it is told again", zap.Error(err))
		}
		b.of = c.History.File
	}
	var fresh []retro.Found
	for _, f := range b.told.Fresh(a.Found) {
		if f.Passed() && (f.Record.Host == "" || f.Record.Host == c.Store.Host()) { // others tell of theirs
			fresh = append(fresh, f)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	if err := b.recorder.Notify(ctx, laterItems(c, fresh)); err != nil {
		return err
	}
	for i, f := range fresh {
		if i == retroLogged {
			b.log.Warn("more mail that went on had something that is on a list now; \"milterscan retro\" names it",
				zap.String("list", list.Name), zap.Int("messages", len(fresh)-i))
			break
		}
		b.log.Warn("mail that went on had something that is on a list now", zap.String("list", list.Name), zap.String("value", f.Hits[0].Value),
			zap.String("entry", f.Hits[0].Entry), zap.String("id", f.Record.ID), zap.String("queue_id", f.Record.QueueID),
			zap.Time("received", f.Record.Time), zap.String("sender", f.Record.Sender), zap.Strings("recipients", f.Receivers()))
	}
	return b.told.Mark(fresh, since)
}

// Bounds of the notices about one change of a list.
const (
	laterMessages   = 200
	laterRecipients = 10 // of one message
)

// laterItems returns what administrators are told about mail that went on.
func laterItems(c *config.Config, fresh []retro.Found) (items []notify.Item) {
	for _, to := range c.History.Retro.Notify {
		for _, f := range fresh[:min(len(fresh), laterMessages)] {
			r, h := f.Record, f.Hits[0]
			receivers := f.Receivers()
			for _, recipient := range receivers[:min(len(receivers), laterRecipients)] {
				items = append(items, notify.Item{To: to, Audience: policy.Administrator, Event: notify.Event{ID: r.ID, Time: r.Time,
					Sender: r.Sender, Recipient: recipient, Subject: r.Subject, Client: r.Client, Action: policy.Deliver.String(), Class: "policy",
					Finding: "retro/" + h.List, File: h.Name, Rule: r.Rule,
					Detail: fmt.Sprintf("it was delivered, and is on the list now: %s %s %s", h.Sort, h.Value, h.Entry)}})
			}
		}
	}
	return items
}
