package daemon

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/history/spill"
)

// spared returns how many messages this host has kept while the shared database did not take them.
func (d *Daemon) spared(c *config.Config) int64 {
	list, err := d.Stores.Spare(c).IDs()
	if err != nil {
		d.log.Debug("messages that wait for the shared database cannot be counted", zap.Error(err))
	}
	return int64(len(list))
}

// tellOfStranded warns of what waits for the shared database where a reload has nobody look for it any more.
func (d *Daemon) tellOfStranded(before, now *config.Config) {
	if d.Stores.Fleet == nil {
		return
	}
	if dir := before.Quarantine.Spare(); dir != now.Quarantine.Spare() {
		if n := d.spared(before); n > 0 {
			d.log.Warn("messages wait in a place that is not looked at any more: set quarantine.dir back until they are moved",
				zap.String("directory", dir), zap.Int64("messages", n))
		}
	}
	if file := before.History.SpillFile(); before.History.File != "" && file != now.History.SpillFile() {
		if n, _, err := spill.Waiting(file); n > 0 || err != nil {
			d.log.Warn("records wait in a place that is not looked at any more: set history.file back until they are moved",
				zap.String("file", file), zap.Int64("records", n), zap.Error(err))
		}
	}
}

// mover moves messages that this host has kept into the shared database.
type mover struct {
	d    *Daemon
	told map[string]bool // messages of which it was said why they stay where they are
	last string          // message that the database did not take: it is asked for those after it first
}

func newMover(d *Daemon) *mover { return &mover{d: d, told: map[string]bool{}} }

// run moves what waits at every tick, until ctx is done.
func (m *mover) run(ctx context.Context, tick <-chan time.Time) {
	if m.d.Stores.Fleet == nil {
		return
	}
	m.move(ctx)
	atEach(ctx, tick, func(time.Time) { m.move(ctx) })
}

// move moves what waits, if the database can be used.
func (m *mover) move(ctx context.Context) {
	c := m.d.config.Load()
	if !m.d.shares.Load() || m.d.spared(c) == 0 {
		return
	}
	moves, err := m.d.Stores.Vault(c).MoveFrom(ctx, m.d.Stores.Spare(c), m.last, m.tell)
	m.last = moves.Refused
	if n := moves.Done(); n > 0 {
		m.d.log.Info("messages that were kept on this host are in the shared database now", zap.Int("messages", n))
	}
	if err != nil && ctx.Err() == nil {
		m.d.log.Warn("messages that were kept on this host cannot be moved into the shared database; it is tried again",
			zap.Error(err))
	}
}

// tell says once why a message stays where it is, if it does.
func (m *mover) tell(id string, err error) {
	if err == nil || m.told[id] {
		return
	}
	m.told[id] = true
	m.d.log.Error("a message that was kept on this host cannot be moved into the shared database; it stays here",
		zap.String("id", id), zap.String("directory", m.d.config.Load().Quarantine.Spare()), zap.Error(err))
}
