package redis

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/milterscan/milterscan/scan/breaker"
	"github.com/milterscan/milterscan/scan/sender/greylist"
	"github.com/milterscan/milterscan/scan/sender/rate"
	"github.com/milterscan/milterscan/scan/sender/sendertest"
)

// hostOf returns the state as one host has it.
func hostOf(t *testing.T, o Options) *State {
	t.Helper()
	if o.Patience == 0 {
		o.Patience = 10 * time.Second
	}
	s := New(o)
	t.Cleanup(func() { s.Close() })
	return s
}

// sharing returns two hosts that share an empty server, and the clock by which it goes.
func sharing(t *testing.T) (hosts [2]*State, clock sendertest.Clock) {
	t.Helper()
	m := miniredis.RunT(t)
	for i := range hosts {
		hosts[i] = hostOf(t, Options{Server: Server{URL: "redis://" + m.Addr()}, Prefix: "milterscan:"})
	}
	now := time.Now()
	m.SetTime(now)
	return hosts, sendertest.Clock{Now: func() time.Time { return now }, Later: func(d time.Duration) {
		now = now.Add(d)
		m.SetTime(now)
		m.FastForward(d)
	}}
}

// TestSenders holds the greylist and the rates to what all promise.
func TestSenders(t *testing.T) {
	sendertest.Greylist(t, func(t *testing.T) sendertest.Greylists {
		hosts, clock := sharing(t)
		return sendertest.Greylists{Clock: clock, Hosts: []greylist.Store{hosts[0].Greylist(), hosts[1].Greylist()}}
	})
	sendertest.Rate(t, func(t *testing.T) sendertest.Rates {
		hosts, clock := sharing(t)
		return sendertest.Rates{Clock: clock, Hosts: []rate.Store{hosts[0].Rate(), hosts[1].Rate()}}
	})
}

// TestServers holds which addresses are taken, and what is said of the others.
func TestServers(t *testing.T) {
	for _, test := range []struct {
		server    Server
		place     string
		encrypted bool
		wrong     string
	}{
		{Server{URL: "redis://127.0.0.1"}, "127.0.0.1:6379/0", false, ""},
		{Server{URL: "valkey://localhost:6390/2"}, "localhost:6390/2", false, ""},
		{Server{URL: "redis://[::1]:6390"}, "[::1]:6390/0", false, ""},
		{Server{URL: "rediss://m@redis.example.com", CAFile: "/ca.pem"}, "redis.example.com:6379/0", true, ""},
		{Server{URL: "valkeys://redis.example.com:1/7"}, "redis.example.com:1/7", true, ""},
		{Server{URL: "unix:///run/redis/redis.sock"}, "/run/redis/redis.sock/0", false, ""},
		{Server{URL: "unix://m@/run/redis.sock?db=3"}, "/run/redis.sock/3", false, ""},
		{Server{URL: "redis.example.com:6379"}, "", false, "no server"},
		{Server{URL: "postgres://m@localhost/m"}, "", false, "no server"},
		{Server{URL: "rediss:///0"}, "", false, "no server"},
		{Server{URL: "unix://run/redis.sock"}, "", false, "no server"},
		{Server{URL: "rediss://m:secret@redis.example.com"}, "", false, "holds a password"},
		{Server{URL: "redis://redis.example.com"}, "", false, "in the clear"},
		{Server{URL: "redis://10.0.0.1"}, "", false, "in the clear"},
		{Server{URL: "rediss://redis.example.com?skip_verify=true"}, "", false, "not known"},
		{Server{URL: "redis://127.0.0.1?addr=redis.example.com"}, "", false, "not known"},
		{Server{URL: "rediss://redis.example.com/mail"}, "", false, "no number"},
		{Server{URL: "rediss://redis.example.com/-1"}, "", false, "no number"},
		{Server{URL: "redis://127.0.0.1", CAFile: "/ca.pem"}, "", false, "not encrypted"},
	} {
		err := test.server.Check()
		if (err == nil) != (test.wrong == "") || err != nil && (!strings.Contains(err.Error(), test.wrong) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%s: %v, want %q", test.server.URL, err, test.wrong)
		}
		if err != nil {
			continue
		}
		if test.server.Place() != test.place || test.server.encrypted() != test.encrypted {
			t.Errorf("%s: at %s, encrypted %v", test.server.URL, test.server.Place(), test.server.encrypted())
		}
		o, err := Server{URL: test.server.URL}.option()
		if err != nil || (o.TLSConfig != nil) != test.encrypted || o.TLSConfig != nil && o.TLSConfig.InsecureSkipVerify {
			t.Errorf("%s: %+v, %v", test.server.URL, o.TLSConfig, err)
		}
	}
}

// silent is a server that takes connections and says nothing.
func silent(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// TestMailIsSpared: of many mails a few find out that the server does not answer, and the others do without; what is said is
// the same each time, and names the server.
func TestMailIsSpared(t *testing.T) {
	nobody := silent(t)
	for _, where := range []string{"127.0.0.1:1", nobody} {
		s := hostOf(t, Options{Server: Server{URL: "redis://" + where}, Prefix: "m:", Patience: time.Second})
		first := s.Look(t.Context())
		if first == nil || !strings.Contains(first.Error(), where+"/0") {
			t.Errorf("%s: %v", where, first)
		}
		for range 100 {
			if _, err := s.Rate().Take(t.Context(), rate.Key{}, rate.Bucket{Size: time.Hour, Every: time.Minute}, time.Time{}); !errors.Is(err, breaker.ErrRests) {
				t.Errorf("%s: %v", where, err)
			}
		}
		if again := s.Look(t.Context()); again == nil || again.Error() != first.Error() {
			t.Errorf("%s: first %v, then %v", where, first, again)
		}
	}
}

// TestMatter: a server that does not answer is told of once, in however many ways that shows.
func TestMatter(t *testing.T) {
	s := New(Options{Server: Server{URL: "redis://127.0.0.1"}})
	refused := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	for _, test := range []struct {
		one, other error
		same       bool
	}{
		{context.DeadlineExceeded, &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, true},
		{&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, &net.OpError{Op: "write", Err: os.ErrDeadlineExceeded}, true},
		{refused, context.DeadlineExceeded, false},
		{refused, refused, true},
		{nil, context.DeadlineExceeded, false},
	} {
		if got := matter(s.named(test.one)) == matter(s.named(test.other)); got != test.same {
			t.Errorf("%v and %v: told apart %v", test.one, test.other, !got)
		}
	}
}

// TestNothingIsAsked for a client that is gone already, and nothing is said about the server then.
func TestNothingIsAsked(t *testing.T) {
	hosts, _ := sharing(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := hosts[0].Greylist().Pass(gone, greylist.Key{}, time.Time{}, time.Hour); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := hosts[0].Look(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestPassword is read for each connection, is in no error, and what is wrong with it is said.
func TestPassword(t *testing.T) {
	m := miniredis.RunT(t)
	m.RequireUserAuth("milterscan", "right")
	password, fails := "s3cret", error(nil)
	s := hostOf(t, Options{Server: Server{URL: "redis://milterscan@" + m.Addr()}, Prefix: "m:",
		Password: func() (string, error) { return password, fails }})
	if err := s.Look(t.Context()); err == nil || strings.Contains(err.Error(), password) || !strings.Contains(err.Error(), "see password_file") {
		t.Error(err)
	}
	fails = errors.New("nobody may read it")
	if err := s.Look(t.Context()); err == nil || !strings.Contains(err.Error(), "password_file: nobody may read it") {
		t.Error(err)
	}
	password, fails = "right", nil
	if err := s.Look(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestNoAuthorities: a file of authorities that cannot be used is named, each time.
func TestNoAuthorities(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{empty, empty + ".missing"} {
		s := hostOf(t, Options{Server: Server{URL: "rediss://127.0.0.1:1", CAFile: file}, Prefix: "m:"})
		for range 2 {
			if err := s.Look(t.Context()); err == nil || !strings.Contains(err.Error(), file) {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}

// TestOthersKeys: states with different beginnings of keys do not know each other.
func TestOthersKeys(t *testing.T) {
	m := miniredis.RunT(t)
	b := rate.Bucket{Size: time.Hour, Every: time.Hour}
	for _, prefix := range []string{"one:", "two:"} {
		s := hostOf(t, Options{Server: Server{URL: "redis://" + m.Addr()}, Prefix: prefix})
		for i, want := range []bool{true, false} {
			if ok, err := s.Rate().Take(t.Context(), rate.Key{1}, b, time.Time{}); ok != want || err != nil {
				t.Errorf("%s %d: %v, %v", prefix, i, ok, err)
			}
		}
	}
	for _, key := range m.Keys() {
		if !strings.HasPrefix(key, "one:r:") && !strings.HasPrefix(key, "two:r:") {
			t.Errorf("key %q", key)
		}
	}
}

// TestFacts reads what servers say of themselves.
func TestFacts(t *testing.T) {
	for _, test := range []struct {
		info string
		want Facts
		old  bool
	}{
		{"# Server\r\nredis_version:7.0.15\r\nrole:master\r\nused_memory:1000\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\nevicted_keys:3\r\ncluster_enabled:0\r\n",
			Facts{Name: "Redis", Version: "7.0.15", Used: 1000, Policy: "noeviction", Evicted: 3}, false},
		{"redis_version:7.2.4\r\nvalkey_version:8.1.0\r\nrole:slave\r\ncluster_enabled:1\r\nmaxmemory:5000\r\n",
			Facts{Name: "Valkey", Version: "8.1.0", Replica: true, Clustered: true, Most: 5000}, false},
		{"redis_version:5.0.14\n", Facts{Name: "Redis", Version: "5.0.14"}, true},
		{"", Facts{Name: "Redis"}, true},
	} {
		if got := factsOf(test.info); got != test.want || got.Old() != test.old {
			t.Errorf("%q: %+v, old %v", test.info, got, got.Old())
		}
	}
}
