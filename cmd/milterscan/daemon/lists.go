package daemon

import (
	"context"
	"time"

	"go.uber.org/zap"

	settled "github.com/milterscan/milterscan/policy/people"
)

// Times of the lists that hosts share.
const (
	keepListsEvery = time.Minute     // they are kept for a start without their database
	hearAgain      = 5 * time.Second // after the connection has ended on which the daemon hears of changes
)

// followLists takes over, at every tick, what people have changed in their lists, until ctx is done.
func (d *Daemon) followLists(ctx context.Context, tick <-chan time.Time) {
	atEach(ctx, tick, func(now time.Time) { d.book().Follow(ctx, now) })
}

// hearOfLists has the lists looked at when another host has changed them, until ctx is done. Where no word comes, as
// through a pooler of connections, the lists are looked at often enough all the same, so that nothing is said of it.
func (d *Daemon) hearOfLists(ctx context.Context) {
	if d.Stores.Fleet == nil {
		return
	}
	for ctx.Err() == nil {
		d.Stores.Fleet.Listen(ctx, settled.Channel, func() { d.book().Changed() })
		select {
		case <-ctx.Done():
		case <-time.After(hearAgain):
		}
	}
}

// keepLists keeps the lists that hosts share, at every tick and at the end.
func (d *Daemon) keepLists(ctx context.Context, tick <-chan time.Time) {
	failed := ""
	keep := func(time.Time) {
		said := ""
		if err := d.book().Keep(); err != nil {
			said = err.Error()
		}
		if said != "" && said != failed {
			d.log.Warn("mail without its database would have no lists", zap.String("reason", said))
		}
		failed = said
	}
	atEach(ctx, tick, keep)
	keep(time.Time{})
}
