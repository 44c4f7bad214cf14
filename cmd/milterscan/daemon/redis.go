package daemon

import (
	"context"
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
}
