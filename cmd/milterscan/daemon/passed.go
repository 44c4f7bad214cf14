package daemon

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

// passTime is how long a released message may wait until it is noted that it came past.
const passTime = 5 * time.Second

// pass notes in the quarantine that a message which was released from it is on its way into the MTA: who released it may not
// live to say so.
func (d *Daemon) pass(ctx context.Context, r *judge.Result, c *config.Config) {
	id := r.Released()
	if id == "" || r.Decision.Answer != policy.Deliver && r.Decision.Answer != policy.Hold {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, passTime)
	defer cancel()
	dropped := func(to string) bool { return slices.Contains(r.Decision.Drop, to) }
	err := quarantine.Pass(ctx, d.Stores.Quarantine(c), quarantine.Passage{ID: id, Time: time.Now(),
		Host: c.Store.Host(), QueueID: r.Envelope.QueueID,
		To: slices.DeleteFunc(slices.Clone(r.Envelope.Recipients), dropped)})
	if err != nil && !errors.Is(err, quarantine.ErrUnknown) { // it is another host's
		d.log.Warn("it could not be noted that a released message came past", zap.String("id", id), zap.Error(err))
	}
}
