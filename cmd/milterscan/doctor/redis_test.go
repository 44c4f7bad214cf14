package doctor

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/keep/redis"
)

// TestRedisFindings holds what is said of servers in which hosts share what they may lose.
func TestRedisFindings(t *testing.T) {
	good := redis.Facts{Name: "Redis", Version: "7.0.15", Used: 1 << 20, Most: 1 << 29, Policy: "volatile-ttl", Took: time.Millisecond}
	for name, test := range map[string]struct {
		change func(*redis.Facts)
		want   []Level // fitness, memory, clock, speed
	}{
		"good":            {func(*redis.Facts) {}, []Level{OK, OK, OK, OK}},
		"old":             {func(f *redis.Facts) { f.Version = "5.0.14" }, []Level{Fault, OK, OK, OK}},
		"replica":         {func(f *redis.Facts) { f.Replica = true }, []Level{Fault, OK, OK, OK}},
		"cluster":         {func(f *redis.Facts) { f.Clustered = true }, []Level{Fault, OK, OK, OK}},
		"unfit":           {func(f *redis.Facts) { f.Unfit = errors.New("OOM") }, []Level{Fault, OK, OK, OK}},
		"without a limit": {func(f *redis.Facts) { f.Most = 0 }, []Level{OK, Advice, OK, OK}},
		"evicts nothing":  {func(f *redis.Facts) { f.Policy = "noeviction" }, []Level{OK, Advice, OK, OK}},
		"early":           {func(f *redis.Facts) { f.Drift = -10 * time.Second }, []Level{OK, OK, Advice, OK}},
		"hours off":       {func(f *redis.Facts) { f.Drift = 2 * time.Hour }, []Level{OK, OK, Fault, OK}},
		"far":             {func(f *redis.Facts) { f.Took, f.Exact = 500*time.Millisecond, 250*time.Millisecond }, []Level{OK, OK, OK, Advice}},
	} {
		f := good
		test.change(&f)
		var got []Level
		for _, one := range append([]Finding{fitness(f)}, redisFindings(f, 2*time.Second)...) {
			got = append(got, one.Level)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
