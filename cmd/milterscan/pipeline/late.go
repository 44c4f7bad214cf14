package pipeline

import (
	"context"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/fleet"
)

// Late is a host with kept messages that are not in the shared quarantine yet, so that no list names them.
type Late struct {
	Host     string
	Messages int64
}

// Late returns the hosts with kept messages that are not in the shared quarantine yet, as they last said; this host
// looks at its own. Without a shared quarantine there are none.
func (k *Stores) Late(ctx context.Context, c *config.Config) (list []Late, err error) {
	if k.Fleet == nil {
		return nil, nil
	}
	own, err := k.Spare(c).IDs()
	if err != nil {
		return nil, err
	}
	if len(own) > 0 {
		list = append(list, Late{c.Store.Host(), int64(len(own))})
	}
	err = k.reach(ctx)
	var hosts []fleet.Host
	if err == nil {
		hosts, err = k.Fleet.Hosts(ctx)
	}
	for _, h := range hosts {
		if n := h.Behind[fleet.KeptMessages]; n > 0 && h.Name != c.Store.Host() {
			list = append(list, Late{h.Name, n})
		}
	}
	return list, err
}
