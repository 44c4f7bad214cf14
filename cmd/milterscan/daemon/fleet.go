package daemon

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/policy/keep/fleet"
)

// joinTime is how long a start waits for the database that hosts share.
const joinTime = 10 * time.Second

// join has the first mail find what hosts share, if that can be reached. If not, mail goes on without it.
func (d *Daemon) join(ctx context.Context) {
	if d.Stores.Fleet == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, joinTime)
	defer cancel()
	d.tellOfFleet(d.Stores.Fleet.Prepare(ctx))
}

// share sees to it that what hosts share can be used, until ctx is done.
func (d *Daemon) share(ctx context.Context) {
	if d.Stores.Fleet == nil {
		return
	}
	every(ctx, fleet.Every, func(ctx context.Context, tick <-chan time.Time) {
		d.Stores.Fleet.Watch(ctx, tick, d.tellOfFleet, func(context.Context) {})
	})
}

// tellOfFleet logs whether what hosts share can be used.
func (d *Daemon) tellOfFleet(err error) {
	if err != nil {
		d.log.Warn("the shared database cannot be used; mail goes on without it", zap.Error(err))
		return
	}
	d.log.Info("the shared database can be used", zap.String("database", d.Stores.Fleet.Place()))
}
