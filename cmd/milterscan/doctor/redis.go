package doctor

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy/keep/redis"
	"github.com/milterscan/milterscan/scan/units"
)

// Redis is the check of the server in which hosts share what they may lose.
const Redis = "shared Redis"

// redis looks at the server in which hosts share what they may lose.
func (p *Installation) redis(ctx context.Context) []Finding {
	c := p.Config.Store
	state := c.Volatile()
	if state == nil {
		return nil
	}
	defer state.Close()
	found := p.secret("store.redis.password_file", c.Redis.PasswordFile)
	f, err := state.Examine(ctx)
	if err != nil {
		return append(found, fault("start it, or correct [store.redis]; docs/hosts.md says how to set it up", "%v", err))
	}
	found = append(append(found, fitness(f)), redisFindings(f, c.Timeout.Go())...)
	return append(found, p.verdictKey(ctx, state)...)
}

// verdictKey looks at the key by which hosts trust what the engines of others found clean.
func (p *Installation) verdictKey(ctx context.Context, state *redis.State) []Finding {
	const key = "store.redis.verdict_key_file"
	c := p.Config.Store.Redis
	if strings.HasPrefix(string(c.VerdictKeyFile), "env:") {
		return []Finding{ok("%s: the key is in the daemon's environment, and was not compared", key)}
	}
	secret, err := c.VerdictKey()
	switch {
	case err != nil:
		return []Finding{fault("write the key that the other hosts have, or leave it out", "%v", err)}
	case secret == nil:
		return nil
	}
	found := p.secret(key, c.VerdictKeyFile)
	switch err := state.Clean(secret).Agrees(ctx); {
	case errors.Is(err, redis.ErrOtherKey):
		return append(found, fault("give all hosts the same file, and reload them", "%v", err))
	case err != nil:
		return append(found, fault("see docs/hosts.md", "%v", err))
	}
	return append(found, ok("no host that shares verdicts of virus engines has another key"))
}

// fitness tells whether the server does what mail asks of it.
func fitness(f redis.Facts) Finding {
	switch {
	case f.Old():
		return fault("use Redis 6 or later, or Valkey", "the server is %s %s", f.Name, f.Version)
	case f.Replica:
		return fault("name the server that it copies", "the server is a replica, which takes nothing")
	case f.Clustered:
		return fault("name a single server", "the server is a node of a cluster, which has only a part of all keys")
	case f.Unfit != nil:
		return fault("see docs/hosts.md", "%v", f.Unfit)
	}
	return ok("the server is %s %s, and does what mail asks of it", f.Name, f.Version)
}

// slow is the part of store.timeout that no answer should take.
const slow = 10

// redisFindings examines the memory, the clock and the speed of the server.
func redisFindings(f redis.Facts, patience time.Duration) (found []Finding) {
	const policy = "maxmemory-policy volatile-ttl"
	used := units.Size(f.Used)
	switch {
	case f.Most == 0:
		found = append(found, advice("set maxmemory, such as 512mb, and "+policy,
			"its memory has no limit (maxmemory): who sends from many addresses may fill that of its host; it uses %v", used))
	case f.Policy == "noeviction":
		found = append(found, advice("set "+policy,
			"it takes nothing more once it uses %v, and now it uses %v: mail is then not put off, and each host counts for itself",
			units.Size(f.Most), used))
	default:
		found = append(found, ok("it uses %v of %v, then %s; %d keys were forgotten before their time", used, units.Size(f.Most), f.Policy, f.Evicted))
	}
	found = append(found, clockFinding(f.Drift, f.Exact, "the server"))
	if f.Took > patience/slow {
		return append(found, advice("have it nearer, or with less to do", "its quickest answer took %v, and mail waits %v at most",
			f.Took.Round(time.Microsecond), patience))
	}
	return append(found, ok("it answers within %v", f.Took.Round(time.Microsecond)))
}
