package pipeline

import (
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/fleet"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/quarantine/shared"
	"github.com/milterscan/milterscan/policy/keep/tables"
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
		return shared.New(fleet.Joining{State: k.Fleet}, c.Store.Host())
	}
	return shared.New(k.Fleet, c.Store.Host())
}

// tables returns what hosts share as tables, for data that a host by itself has in a file.
func (k *Stores) tables() tables.State {
	if k.joins {
		return fleet.Joining{State: k.Fleet}
	}
	return k.Fleet
}

// ready reports whether what hosts share can be asked, or there is nothing. A daemon that begins has not looked yet.
func (k *Stores) ready() bool { return k.Fleet == nil || k.joins || k.Fleet.Ready() == nil }
