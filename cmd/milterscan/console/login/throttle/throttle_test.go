package throttle

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/pace"
)

func at(s string) netip.Addr {
	if s == "" {
		return netip.Addr{}
	}
	return netip.MustParseAddr(s)
}

func newAt(now *time.Time) *Throttle {
	t := New()
	t.now = func() time.Time { return *now }
	return t
}

// fails tries names that are wrong until it is refused, and returns how often it could.
func fails(t *Throttle, name func(i int) string, client func(i int) netip.Addr, tries int) (n int) {
	for i := range tries {
		if _, ok := t.Try(name(i), client(i)); ok {
			n++
		}
	}
	return n
}

func same[T any](v T) func(int) T { return func(int) T { return v } }

func TestLimits(t *testing.T) {
	numbered := func(format string) func(int) netip.Addr {
		return func(i int) netip.Addr { return at(fmt.Sprintf(format, i%250, i/250)) }
	}
	names := func(i int) string { return fmt.Sprintf("name%d", i) }
	for _, c := range []struct {
		about  string
		name   func(int) string
		client func(int) netip.Addr
		tries  int
		want   int
	}{
		{"one name, one address", same("admin"), same(at("192.0.2.1")), 100, 5},
		{"one name in many spellings of case", func(i int) string { return []string{"admin", "ADMIN", "Admin"}[i%3] }, same(at("192.0.2.1")), 100, 5},
		{"many names, one address", names, same(at("192.0.2.1")), 100, 20},
		{"many names, one address as IPv6 says it", names, func(i int) netip.Addr { return at([]string{"192.0.2.1", "::ffff:192.0.2.1"}[i%2]) }, 100, 20},
		{"many names, one network of IPv6", names, numbered("2001:db8::%x:%x"), 100, 20},
		{"many names, many networks of one site", names, numbered("2001:db8:1:%x::%x"), 300, 100},
		{"one name, many addresses", same("admin"), numbered("198.51.%[2]d.%[1]d"), 400, 400},
		{"one name, an address that is not known", same("admin"), same(at("")), 100, 5},
		{"10 KB", same(strings.Repeat("n", 10<<10)), same(at("192.0.2.1")), 100, 5},
	} {
		now := time.Now()
		if n := fails(newAt(&now), c.name, c.client, c.tries); n != c.want {
			t.Errorf("%s: %d tries", c.about, n)
		}
	}
}

// TestOwnerIsNotShutOut: whatever others do, the owner may log in at an address of his own.
func TestOwnerIsNotShutOut(t *testing.T) {
	now := time.Now()
	l := newAt(&now)
	fails(l, same("admin"), same(at("192.0.2.1")), 1000)
	fails(l, same("admin"), func(i int) netip.Addr { return at(fmt.Sprintf("198.51.%d.%d", i/250, i%250)) }, 5000)
	if _, ok := l.Try("admin", at("192.0.2.1")); ok {
		t.Error("the one who guesses is not refused")
	}
	good, ok := l.Try("admin", at("203.0.113.1"))
	if !ok {
		t.Fatal("the owner is shut out")
	}
	good()
	if n := fails(l, same("admin"), same(at("203.0.113.2")), 100); n != 2 {
		t.Errorf("of a name that is attacked, an address may try %d", n)
	}
	if n := fails(l, same("ann"), same(at("203.0.113.3")), 100); n != 5 {
		t.Errorf("of another name it may try %d", n)
	}
}

func TestFailuresAreForgotten(t *testing.T) {
	now := time.Now()
	l := newAt(&now)
	client := at("192.0.2.1")
	fails(l, same("ann"), same(client), 10)
	now = now.Add(pairs.Forget - time.Second)
	if _, ok := l.Try("ann", client); ok {
		t.Error("too soon")
	}
	now = now.Add(2 * time.Second)
	good, ok := l.Try("ann", client)
	if !ok {
		t.Fatal("never again")
	}
	good()
	if n := fails(l, same("ann"), same(client), 10); n != 5 {
		t.Errorf("after it was right %d tries", n)
	}
	now = now.Add(24 * time.Hour)
	if n := fails(l, same("bob"), same(client), 10); n != 5 {
		t.Errorf("a day later %d tries", n)
	}
}

// TestAtOnce: many who try at the same moment are no more than those who try one by one.
func TestAtOnce(t *testing.T) {
	l := New()
	var n atomic.Int32
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if _, ok := l.Try("ann", at("192.0.2.1")); ok {
				n.Add(1)
			}
		})
	}
	all.Wait()
	if n.Load() != 5 {
		t.Errorf("%d tries", n.Load())
	}
}

func TestMemoryIsBounded(t *testing.T) {
	now := time.Now()
	l := newAt(&now)
	fails(l, same("victim"), same(at("192.0.2.1")), 10)
	fails(l, func(i int) string { return fmt.Sprint(i) }, func(i int) netip.Addr { return at(fmt.Sprintf("10.%d.%d.1", i/250, i%250)) }, 30_000)
	for _, c := range []pace.Counts{l.pairs, l.clients, l.networks, l.names} {
		if len(c) > pace.MostKept {
			t.Errorf("%d counts", len(c))
		}
	}
	if _, ok := l.Try("victim", at("192.0.2.1")); ok {
		t.Error("the one who guesses has made himself be forgotten")
	}
}
