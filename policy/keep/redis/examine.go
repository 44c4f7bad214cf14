package redis

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/valkey-io/valkey-go"
)

// Facts are what a look at the server shows.
type Facts struct {
	Name      string        // "Redis" or "Valkey"
	Version   string        // "7.0.15"
	Replica   bool          // of another server
	Clustered bool          // a node of a cluster
	Used      int64         // bytes of memory
	Most      int64         // that it may use; 0: all that there is
	Policy    string        // what it does when that is used: "noeviction", "volatile-ttl", …
	Evicted   int64         // keys that were forgotten before their time
	Encrypted bool          // the connection
	Took      time.Duration // for the quickest of some answers
	Drift     time.Duration // how far the clock of this host is ahead of that of the server
	Exact     time.Duration // how well that is known
	Unfit     error         // why it cannot be used; nil if it can
}

// Oldest is the oldest major version of Redis that will do: the first with users, and with the protocol that is spoken.
const Oldest = 6

// samples is how many answers are timed.
const samples = 5

// Examine looks at the server. It leaves a key that is forgotten within seconds.
func (s *State) Examine(ctx context.Context) (f Facts, err error) {
	err = s.try(ctx, func(ctx context.Context, c valkey.Client) error {
		text, err := c.Do(ctx, c.B().Info().Build()).ToString()
		if err != nil {
			return err
		}
		f = factsOf(text)
		for range samples {
			if err := f.time(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return f, s.named(err)
	}
	f.Encrypted = s.options.Server.encrypted()
	f.Unfit = s.Look(ctx)
	return f, nil
}

// factsOf reads what the command INFO says.
func factsOf(info string) Facts {
	is := map[string]string{}
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		is[name] = value
	}
	number := func(name string) int64 { n, _ := strconv.ParseInt(is[name], 10, 64); return n }
	f := Facts{Name: "Redis", Version: is["redis_version"], Replica: is["role"] == "slave", Clustered: is["cluster_enabled"] == "1",
		Used: number("used_memory"), Most: number("maxmemory"), Policy: is["maxmemory_policy"], Evicted: number("evicted_keys")}
	if v := is["valkey_version"]; v != "" {
		f.Name, f.Version = "Valkey", v
	}
	return f
}

// errClock is reported for an answer that is no time.
var errClock = errors.New("it does not tell the time")

// time compares the clocks, and keeps the quickest answer: it was written somewhere between the question and its coming.
func (f *Facts) time(ctx context.Context, c valkey.Client) error {
	begun := time.Now()
	answer, err := c.Do(ctx, c.B().Time().Build()).AsStrSlice()
	took := time.Since(begun)
	if err != nil {
		return err
	}
	if len(answer) != 2 {
		return errClock
	}
	whole, err1 := strconv.ParseInt(answer[0], 10, 64)
	micro, err2 := strconv.ParseInt(answer[1], 10, 64)
	if err1 != nil || err2 != nil {
		return errClock
	}
	if f.Took == 0 || took < f.Took {
		theirs := time.Unix(whole, micro*1000)
		f.Took, f.Exact, f.Drift = took, took/2, begun.Add(took/2).Round(0).Sub(theirs)
	}
	return nil
}

// Old reports whether the server is older than what will do.
func (f Facts) Old() bool {
	major, _, _ := strings.Cut(f.Version, ".")
	n, err := strconv.Atoi(major)
	return f.Name == "Redis" && (err != nil || n < Oldest)
}
