package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/keep/redis"
	"github.com/milterscan/milterscan/scan/sender/greylist"
	"github.com/milterscan/milterscan/scan/sender/rate"
	"github.com/milterscan/milterscan/scan/sender/sendertest"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// onRedis returns what hosts share and may lose as one host has it. The text is added to [store.redis].
func onRedis(t *testing.T, url, text string) *redis.State {
	t.Helper()
	s := sectionOf(t, fmt.Sprintf("[store]\ntimeout = \"1s\"\n[store.redis]\nurl = %q\n%s\n", url, text)).Volatile()
	t.Cleanup(func() { s.Close() })
	return s
}

// userOfRedis returns a user as docs/hosts.md has it, who may do what milterscan needs and nothing else.
func userOfRedis(t *testing.T, password string) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/hosts.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(page)) {
		if before, rest, ok := strings.Cut(strings.TrimSpace(line), ">PASSWORD"); ok && strings.HasPrefix(before, "user ") {
			return before + ">" + password + rest
		}
	}
	t.Fatal("docs/hosts.md has no user of Redis")
	return ""
}

// later has time go by in the server: values that are times, and the ends of keys, are put back by as many milliseconds.
const later = `for _, k in ipairs(redis.call('KEYS', 'milterscan:*')) do
	local v, left, by = tonumber(redis.call('GET', k)), redis.call('PTTL', k), tonumber(ARGV[1])
	if k:find(':r:', 1, true) then v = v - by elseif v > 1000000000 then v = v - by / 1000 end
	if left > by then redis.call('SET', k, string.format('%.0f', v), 'PX', left - by) else redis.call('DEL', k) end
end`

// TestRedisSenders holds the greylist and the rates that two hosts share to what all promise, one over TLS and one over a
// socket, as a user who may do nothing else.
func TestRedisSenders(t *testing.T) {
	needServers(t)
	r := servers.StartRedis(t, userOfRedis(t, "secret"))
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("password_file = %q\n", password)
	sharing := func(t *testing.T) (hosts [2]*redis.State, clock sendertest.Clock) {
		r.CLI(t, "FLUSHALL")
		hosts[0] = onRedis(t, "rediss://milterscan@"+r.Secure, text+fmt.Sprintf("ca_file = %q\n", r.CA))
		hosts[1] = onRedis(t, "unix://milterscan@"+r.Socket, text)
		return hosts, sendertest.Clock{Now: time.Now, Later: func(d time.Duration) {
			r.CLI(t, "EVAL", later, "0", fmt.Sprint(d.Milliseconds()))
		}}
	}
	sendertest.Greylist(t, func(t *testing.T) sendertest.Greylists {
		hosts, clock := sharing(t)
		return sendertest.Greylists{Clock: clock, Hosts: []greylist.Store{hosts[0].Greylist(), hosts[1].Greylist()}}
	})
	sendertest.Rate(t, func(t *testing.T) sendertest.Rates {
		hosts, clock := sharing(t)
		return sendertest.Rates{Clock: clock, Hosts: []rate.Store{hosts[0].Rate(), hosts[1].Rate()}}
	})
	if got := r.CLI(t, "EVAL", `local n = 0 for _, k in ipairs(redis.call('KEYS', '*')) do if redis.call('TTL', k) < 0 then n = n + 1 end end return n`, "0"); got != "0" {
		t.Errorf("%s keys are there for ever", got)
	}
	strange := onRedis(t, "rediss://milterscan@"+r.Secure, text)
	if err := strange.Look(t.Context()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate of an unknown authority: %v", err)
	}
}

// take takes a token of a bucket that nobody else has.
func take(ctx context.Context, s *redis.State, k byte) error {
	_, err := s.Rate().Take(ctx, rate.Key{k}, rate.Bucket{Size: time.Hour, Every: time.Second}, time.Time{})
	return err
}

// TestRedisAway has the server stop, hang, be full, become a replica, and change its password. Whoever asks is told within
// the time for that, and asks again in vain at most once in ten seconds; afterwards everything is as before.
func TestRedisAway(t *testing.T) {
	needServers(t)
	r := servers.StartRedis(t, userOfRedis(t, "first"))
	password := filepath.Join(t.TempDir(), "password")
	write := func(text string) {
		if err := os.WriteFile(password, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first")
	s := onRedis(t, "redis://milterscan@"+r.Addr, fmt.Sprintf("password_file = %q\n", password))
	set := func(name, value string) func() { return func() { r.CLI(t, "CONFIG", "SET", name, value) } }
	for _, fault := range []struct {
		name, want  string
		begin, mend func()
	}{
		{"stopped", "connection refused", r.Stop, func() { r.Start(t) }},
		{"killed", "connection refused", r.Kill, func() { r.Start(t) }},
		{"hanging", "deadline", r.Pause, r.Continue},
		{"full", "raise maxmemory", set("maxmemory", "1"), set("maxmemory", "0")},
		{"a replica", "READONLY", func() { r.CLI(t, "REPLICAOF", "127.0.0.1", "1") }, func() { r.CLI(t, "REPLICAOF", "NO", "ONE") }},
		{"with another password", "password_file", func() {
			r.CLI(t, "ACL", "SETUSER", "milterscan", "resetpass", ">second")
			r.CLI(t, "CLIENT", "KILL", "USER", "milterscan")
		}, func() { write("second") }},
	} {
		if err := s.Look(t.Context()); err != nil {
			t.Fatal(fault.name, err)
		}
		fault.begin()
		failed := 0
		for range 50 { // mails; two of them may wait for the answer
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			if err := take(ctx, s, 1); err != nil && ctx.Err() == nil {
				failed++
			}
			cancel()
		}
		if failed != 50 {
			t.Errorf("%s: %d of 50 were told", fault.name, failed)
		}
		if err := s.Look(t.Context()); err == nil || !strings.Contains(err.Error(), fault.want) {
			t.Errorf("%s: %v; want %s", fault.name, err, fault.want)
		}
		fault.mend()
		eventually(t, fault.name+": the server is back", func() error { return s.Look(t.Context()) })
		if err := take(t.Context(), s, 1); err != nil {
			t.Errorf("%s: once it is back: %v", fault.name, err)
		}
	}
}

// TestRedisForgets has the server forget everything, its scripts included, and then evict what there is no room for: nothing
// fails, and whoever is forgotten is new.
func TestRedisForgets(t *testing.T) {
	needServers(t)
	r := servers.StartRedis(t)
	s := onRedis(t, "unix://"+r.Socket, "")
	try := func(n int) greylist.Standing {
		t.Helper()
		k := func(kind byte) greylist.Key { return greylist.Key{kind, byte(n >> 8), byte(n)} }
		a, err := s.Greylist().Try(t.Context(), greylist.Try{Client: k('c'), Pair: k('p'), Pass: k('l'),
			Terms: greylist.Terms{Delay: time.Minute, Window: time.Hour, Keep: 2 * time.Hour, AutoAllow: 5}})
		if err != nil {
			t.Fatal(n, err)
		}
		return a.Standing
	}
	for _, step := range []struct {
		before func()
		want   greylist.Standing
	}{{func() {}, greylist.First}, {func() {}, greylist.Early}, {func() { r.CLI(t, "SCRIPT", "FLUSH") }, greylist.Early}, {func() { r.CLI(t, "FLUSHALL") }, greylist.First}} {
		step.before()
		if got := try(0); got != step.want {
			t.Errorf("%v, want %v", got, step.want)
		}
	}
	used, err := strconv.Atoi(r.Info(t, "used_memory"))
	if err != nil {
		t.Fatal(err)
	}
	r.CLI(t, "CONFIG", "SET", "maxmemory", fmt.Sprint(used+100_000), "maxmemory-policy", "volatile-ttl")
	const many = 3000
	for n := range many {
		if got := try(n + 1); got != greylist.First {
			t.Errorf("%d: %v", n, got)
		}
	}
	if got := r.Info(t, "evicted_keys"); got == "0" {
		t.Error("nothing was evicted")
	}
	if f, err := s.Examine(t.Context()); err != nil || f.Unfit != nil || f.Evicted == 0 || f.Policy != "volatile-ttl" || f.Most == 0 || f.Used == 0 || f.Name != "Redis" {
		t.Errorf("%+v, %v", f, err)
	}
}

// TestRedisOfTwo has two hosts share a greylist and a limit, and nothing else; the server hangs, and mail goes on at once.
func TestRedisOfTwo(t *testing.T) {
	needServers(t)
	r := servers.StartRedis(t)
	engine := "unix:" + servers.StartClamd(t).Socket
	var hosts [2]*house
	for i := range hosts {
		hosts[i] = &house{engine: engine}
		patient := strings.Replace(greylisting(t), greylistDelay.String(), "1h", 1) // that nobody lives through by chance
		hosts[i].start(t, ours+patient+fmt.Sprintf("[store.redis]\nurl = \"redis://%s\"\n\n", r.Addr)+
			fmt.Sprintf("[rate]\nfile = %q\n\n[[rate.limit]]\nname = \"all\"\nby = \"recipient\"\nrecipients = 4\nper = \"24h\"\n\n", filepath.Join(t.TempDir(), "rate.db"))+
			"[[rule]]\nname = \"over\"\nto = [\"all@test.local\"]\nwhen = [\"rate/over/all\"]\naction = \"reject\"\nreply = \"550 5.7.1 Too much.\"\n\n"+
			"[[rule]]\nname = \"impatient\"\nto = [\"all@test.local\"]\naction = \"deliver\"\n", open)
	}
	one, other := hosts[0], hosts[1]
	wantReply(t, "the first try", one.from(t, "192.0.2.1", "user@test.local"), 451, "4.7.1", "try again")
	wantReply(t, "at once, at the other host", other.from(t, "192.0.2.1", "user@test.local"), 451)
	r.CLI(t, "EVAL", later, "0", fmt.Sprint((time.Hour + time.Second).Milliseconds()))
	wantReply(t, "when the time is over", other.from(t, "192.0.2.1", "user@test.local"), 250)
	wantReply(t, "back at the first", one.from(t, "192.0.2.1", "user@test.local"), 250)
	if out, status := other.milter.Run(t, "greylist pass", "sender@example.org", "passed@test.local"); status != 0 {
		t.Errorf("greylist pass: %d, %s", status, out)
	}
	wantReply(t, "let through by the other host", one.from(t, "192.0.2.77", "passed@test.local"), 250)
	for i := range 4 {
		wantReply(t, "within the limit", hosts[i%2].from(t, "192.0.2.1", "all@test.local"), 250)
	}
	wantReply(t, "over the limit", one.from(t, "192.0.2.1", "all@test.local"), 550, "Too much")
	wantReply(t, "over the limit", other.from(t, "192.0.2.1", "all@test.local"), 550, "Too much")
	if report, _ := one.milter.Run(t, "doctor", "-v"); !strings.Contains(report, "and does what mail asks of it") || !strings.Contains(report, "its memory has no limit") {
		t.Errorf("doctor shows\n%s", report)
	}

	r.Pause()
	one.goesOnAlone(t)
	servers.Await(t, "a word about it", func() bool { return strings.Contains(one.milter.Output(), "the shared Redis cannot be used") })
	r.Continue()
	servers.Await(t, "the server to be used again", func() bool { return one.from(t, "203.0.113.2", "newer@test.local").Code == 451 })
}
