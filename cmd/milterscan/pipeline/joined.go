package pipeline

import (
	"context"
	"io"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/fleet"
	"github.com/milterscan/milterscan/policy/keep/history"
	chronicle "github.com/milterscan/milterscan/policy/keep/history/shared"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/quarantine/shared"
	"github.com/milterscan/milterscan/policy/keep/store"
	"github.com/milterscan/milterscan/policy/keep/tables"
)

// StoresOf returns the stores of a command, of which none is open. What hosts share is looked at when it is used.
func StoresOf(c *config.Config, warn func(error)) *Stores {
	k := NewStores()
	k.Warn, k.Fleet, k.Redis, k.joins = warn, c.Fleet(), c.Store.Volatile(), true
	return k
}

// Share has stores use what hosts share through the connections of others.
func (k *Stores) Share(with *Stores) { k.Fleet, k.Redis, k.joins = with.Fleet, with.Redis, with.joins }

// Quarantine returns the quarantine of a configuration.
func (k *Stores) Quarantine(c *config.Config) quarantine.Store {
	s := k.Vault(c)
	switch {
	case s == nil:
		return k.dir(c.Quarantine.Dir)
	case c.Quarantine.KeepsHere():
		return shared.NewFallback(s, k.Spare(c))
	}
	return s
}

// Vault returns the quarantine that hosts share; nil if they share none.
func (k *Stores) Vault(c *config.Config) *shared.Store {
	if k.Fleet == nil {
		return nil
	}
	s := shared.New(k.state(), c.Store.Host())
	if o := k.objects(c); o != nil {
		return s.WithObjects(o)
	}
	return s
}

// objects are the kept messages that are in a bucket.
type objects = shared.Objects

// objects returns the kept messages that are in a bucket; nil if the configuration names none.
func (k *Stores) objects(c *config.Config) *objects {
	b := c.Store.Objects()
	if b == nil {
		return nil
	}
	return once(k, k.boxes, c.Store.S3.Endpoint+"/"+c.Store.S3.Bucket+"/"+c.Store.S3.Prefix, func() (*objects, io.Closer) {
		return shared.NewObjects(b), b
	})
}

// History returns the records of messages by a configuration: those of all hosts, or those in a file.
func (k *Stores) History(c *config.Config) history.Store {
	if k.Fleet != nil {
		return k.records(c)
	}
	return once(k, k.past, c.History.File, func() (*store.History, io.Closer) {
		h := store.NewHistory(c.History.File, k.tell)
		return h, h
	})
}

// records returns the history that hosts share.
func (k *Stores) records(c *config.Config) *chronicle.Store {
	return chronicle.New(k.state(), c.Store.Host())
}

// state returns what hosts share, which there is, for all that is kept there.
func (k *Stores) state() interface {
	shared.State
	chronicle.State
	tables.State
} {
	if k.joins {
		return fleet.Joining{State: k.Fleet}
	}
	return k.Fleet
}

// Join has what hosts share be looked at when it is used: there is no daemon that does so beforehand.
func (k *Stores) Join() { k.joins = true }

// Spare returns the directory of messages that the shared quarantine did not take. It has few, and no index.
func (k *Stores) Spare(c *config.Config) *quarantine.Dir {
	return quarantine.NewDir(c.Quarantine.Spare(), quarantine.Unindexed{}, k.tell)
}

// Tables returns what hosts share as tables, for data that a host by itself has in a file; nil if they share nothing.
func (k *Stores) Tables() tables.State {
	if k.Fleet == nil {
		return nil
	}
	return k.state()
}

// ready reports whether what hosts share can be asked, or there is nothing. A daemon that begins has not looked yet.
func (k *Stores) ready() bool { return k.Fleet == nil || k.joins || k.Fleet.Ready() == nil }

// reach looks at the tables of what hosts share, if no daemon does so and that was not done.
func (k *Stores) reach(ctx context.Context) error {
	if !k.joins || k.Fleet.Ready() == nil {
		return nil
	}
	return k.Fleet.Check(ctx)
}
