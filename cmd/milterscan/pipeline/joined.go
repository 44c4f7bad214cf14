package pipeline

import (
	"context"
	"database/sql"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/fleet"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/quarantine/shared"
)

// StoresOf returns the stores of a command, of which none is open. What hosts share is looked at when it is used.
func StoresOf(c *config.Config, warn func(error)) *Stores {
	k := NewStores()
	k.Warn, k.Fleet, k.joins = warn, c.Store.Fleet(), true
	return k
}

// Share has stores use what hosts share through the connections of others.
func (k *Stores) Share(with *Stores) { k.Fleet, k.joins = with.Fleet, with.joins }

// Quarantine returns the quarantine of a configuration.
func (k *Stores) Quarantine(c *config.Config) quarantine.Store {
	switch {
	case k.Fleet == nil:
		return k.dir(c.Quarantine.Dir)
	case k.joins:
		return shared.New(joining{k.Fleet}, c.Store.Host())
	}
	return shared.New(k.Fleet, c.Store.Host())
}

// joining is what hosts share, for a command: it has no daemon that looks at the tables beforehand.
type joining struct{ *fleet.State }

// Commit looks at the tables first, if that was not done.
func (j joining) Commit(ctx context.Context, do func(step func(query string, args ...any) error) error) error {
	if err := j.join(ctx); err != nil {
		return err
	}
	return j.State.Commit(ctx, do)
}

// Read looks at the tables first, if that was not done.
func (j joining) Read(ctx context.Context, do func(*sql.DB) error) error {
	if err := j.join(ctx); err != nil {
		return err
	}
	return j.State.Read(ctx, do)
}

// Change looks at the tables first, if that was not done.
func (j joining) Change(ctx context.Context, do func(*sql.Tx) error) error {
	if err := j.join(ctx); err != nil {
		return err
	}
	return j.State.Change(ctx, do)
}

func (j joining) join(ctx context.Context) error {
	if j.Ready() == nil {
		return nil
	}
	return j.Check(ctx)
}
