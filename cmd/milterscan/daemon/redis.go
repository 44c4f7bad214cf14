package daemon

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/policy/keep/redis"
	"github.com/milterscan/milterscan/policy/tell/metrics"
)

// meetRedis has the first mail find what hosts share and may lose, if that can be reached. If not, mail goes on without it.
func (d *Daemon) meetRedis(ctx context.Context) {
	if d.Stores.Redis != nil {
		d.tellOfRedis(d.Stores.Redis.Look(ctx))
	}
}

// watchRedis sees whether what hosts share and may lose can be used, until ctx is done.
func (d *Daemon) watchRedis(ctx context.Context) {
	if d.Stores.Redis == nil {
		return
	}
	every(ctx, redis.Every, func(ctx context.Context, tick <-chan time.Time) {
		d.Stores.Redis.Watch(ctx, tick, d.tellOfRedis)
	})
}

// tellOfRedis logs whether what hosts share and may lose can be used.
func (d *Daemon) tellOfRedis(err error) {
	d.redisUp.Store(err == nil)
	if err != nil {
		d.log.Warn("the shared Redis cannot be used; mail goes on without it", zap.Error(err))
		return
	}
	d.log.Info("the shared Redis can be used", zap.String("server", d.Stores.Redis.Place()))
}

// verdictEvery is how often a daemon sees whether other hosts trust what its engines found.
const verdictEvery = time.Minute

// watchVerdicts logs, once a minute at most, what keeps hosts from trusting what the engines of others found clean.
func (d *Daemon) watchVerdicts(ctx context.Context) {
	if d.Stores.Redis == nil {
		return
	}
	seen, told := int64(0), false
	every(ctx, verdictEvery, func(ctx context.Context, tick <-chan time.Time) {
		d.announceVerdictKey(ctx, &told)
		atEach(ctx, tick, func(time.Time) {
			d.announceVerdictKey(ctx, &told)
			if n := d.Stores.Redis.Foreign(); n > seen {
				d.log.Warn("the shared Redis has verdicts that no host with our key has signed; none was trusted", zap.Int64("verdicts", n-seen))
				seen = n
			}
		})
	})
}

// announceVerdictKey says which key this host has, and logs that another has another one, until it is so no more.
func (d *Daemon) announceVerdictKey(ctx context.Context, told *bool) {
	key, err := d.config.Load().Store.Redis.VerdictKey()
	if err == nil && key == nil {
		return
	}
	if err == nil {
		err = d.Stores.Redis.Clean(key).Announce(ctx)
	}
	switch other := errors.Is(err, redis.ErrOtherKey); {
	case other && !*told:
		d.log.Warn("hosts do not share verdicts of virus engines", zap.Error(err))
	case err == nil && *told:
		d.log.Info("hosts share verdicts of virus engines again")
	default:
		return
	}
	*told = err != nil
}

// countSharedVerdicts counts what became of questions whether another host has found a content clean.
func (d *Daemon) countSharedVerdicts(m *metrics.Metrics) {
	m.Totals("shared_verdicts_total", "Contents of which the shared Redis was asked whether another host found them clean.", []string{"result"},
		func() (list []metrics.Sample) {
			for result, n := range d.Stores.Redis.Outcomes() {
				list = append(list, metrics.Sample{Labels: []string{result}, Value: float64(n)})
			}
			return list
		})
}

// countRedis counts whether what hosts share and may lose can be used, where they have such.
func (d *Daemon) countRedis(m *metrics.Metrics) {
	if d.Stores.Redis == nil {
		return
	}
	m.Gauge("shared_redis_up", "1 while the shared Redis can be used.", nil, func() float64 {
		if d.redisUp.Load() {
			return 1
		}
		return 0
	})
	d.countSharedVerdicts(m)
}
