package daemon

import (
	"context"
	"time"
)

// followLists takes over, at every tick, what people have changed in their lists, until ctx is done.
func (d *Daemon) followLists(ctx context.Context, tick <-chan time.Time) {
	atEach(ctx, tick, func(time.Time) {
		d.Stores.Book(d.config.Load().People.File).Read(ctx) // which warns itself
	})
}
