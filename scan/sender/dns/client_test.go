package dns

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func TestAnswers(t *testing.T) {
	zone := map[string][]string{
		"a.example. A":       {"a.example. 60 A 192.0.2.1", "other.example. 60 A 192.0.2.9"},
		"a.example. AAAA":    {"a.example. 60 AAAA 2001:db8::1"},
		"mx.example. MX":     {"mx.example. 60 MX 10 Mail.Example."},
		"null.example. MX":   {"null.example. 60 MX 0 ."},
		"t.example. TXT":     {`t.example. 60 TXT "v=spf1 " "\"q\" \\ \200 -all"`},
		"alias.example. A":   {"alias.example. 60 CNAME b.example.", "b.example. 60 CNAME a.example.", "a.example. 60 A 192.0.2.1"},
		"half.example. A":    {"half.example. 60 CNAME a.example."},
		"loop.example. A":    {"loop.example. 60 CNAME pool.example.", "pool.example. 60 CNAME loop.example."},
		"chase1.example. A":  {"chase1.example. 60 CNAME chase2.example."},
		"chase2.example. A":  {"chase2.example. 60 CNAME chase1.example."},
		"1.2.0.192.arpa. A":  {},
		"liar.example. A":    {"victim.example. 60 A 192.0.2.66"},
		"class.example. TXT": {"class.example. 60 A 192.0.2.1"},
	}
	s := serve(t, func(_ string, q, r *dns.Msg) []*dns.Msg {
		asked := q.Question[0]
		lines, ok := zone[asked.Name+" "+dns.TypeToString[asked.Qtype]]
		if !ok {
			r.Rcode = dns.RcodeNameError
		}
		return records(t, r, lines...)
	})
	c := client(s.addr)
	for _, test := range []struct {
		name string
		t    Type
		want string
		err  error
	}{
		{"A.example.", A, "[{192.0.2.1  0 }]", nil},
		{"a.example", AAAA, "[{2001:db8::1  0 }]", nil},
		{"mx.example", MX, "[{invalid IP mail.example 10 }]", nil},
		{"null.example", MX, "[{invalid IP  0 }]", nil},
		{"t.example", TXT, "[{invalid IP  0 v=spf1 \"q\" \\ \xc8 -all}]", nil},
		{"alias.example", A, "[{192.0.2.1  0 }]", nil},
		{"half.example", A, "[{192.0.2.1  0 }]", nil},
		{"loop.example", A, "[]", ErrFailed},
		{"chase1.example", A, "[]", ErrFailed},
		{"1.2.0.192.arpa", A, "[]", nil},
		{"liar.example", A, "[]", nil},
		{"class.example", TXT, "[]", nil},
		{"nothing.example", A, "[]", ErrNotFound},
		{"empty..label", A, "[]", ErrNotFound},
		{strings.Repeat("x", 64) + ".example", A, "[]", ErrNotFound},
		{strings.Repeat("x.", 200), A, "[]", ErrNotFound},
		{`odd\name "x"; (y)@z.example`, A, "[]", ErrNotFound},
	} {
		got, err := c.Lookup(t.Context(), test.name, test.t)
		if fmt.Sprint(got) != test.want || !errors.Is(err, test.err) {
			t.Errorf("%s %v: %v, %v; want %s, %v", test.name, test.t, got, err, test.want, test.err)
		}
	}
}

// TestLongAnswers asks over TCP for an answer that UDP did not bring as a whole, whether the server says so or sent more than
// there is room for.
func TestLongAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		records int
		says    bool
		tcp     int64
	}{
		"truncated":                 {1000, true, 1},
		"longer than was asked":     {200, false, 0},
		"longer than there is room": {1000, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var overTCP atomic.Int64
			s := serve(t, func(network string, q, r *dns.Msg) []*dns.Msg {
				if network == "tcp" {
					overTCP.Add(1)
				} else if r.Truncated = test.says; r.Truncated {
					return []*dns.Msg{r}
				}
				var lines []string
				for i := range test.records {
					lines = append(lines, fmt.Sprintf("big.example. 60 A 192.0.%d.%d", i/250, i%250))
				}
				r.Compress = true
				return records(t, r, lines...)
			})
			got, err := client(s.addr).Lookup(t.Context(), "big.example", A)
			if len(got) != test.records || err != nil || overTCP.Load() != test.tcp {
				t.Errorf("%d records, %v, %d asked over TCP", len(got), err, overTCP.Load())
			}
		})
	}
}

func TestOnlyTheResponseCounts(t *testing.T) {
	s := serve(t, func(_ string, q, r *dns.Msg) []*dns.Msg {
		wrongID, wrongName, wrongType, query := r.Copy(), r.Copy(), r.Copy(), q.Copy()
		wrongID.Id++
		wrongName.Question[0].Name = "other.example."
		wrongType.Question[0].Qtype = dns.TypeTXT
		for _, m := range []*dns.Msg{wrongID, wrongName, wrongType} {
			records(t, m, "a.example. 60 A 192.0.2.66")
		}
		return append([]*dns.Msg{wrongID, wrongName, wrongType, query}, records(t, r, "a.example. 60 A 192.0.2.1")...)
	})
	got, err := client(s.addr).Lookup(t.Context(), "a.example", A)
	if err != nil || len(got) != 1 || got[0].Addr.String() != "192.0.2.1" {
		t.Errorf("%v, %v", got, err)
	}
}

func TestFloodOfStrays(t *testing.T) {
	s := serve(t, func(_ string, q, r *dns.Msg) []*dns.Msg {
		r.Id++
		return repeat(r, 2*maxStrays)
	})
	if _, err := client(s.addr).Lookup(t.Context(), "a.example", A); err == nil {
		t.Error("no error")
	}
}

func repeat(m *dns.Msg, n int) []*dns.Msg {
	list := make([]*dns.Msg, n)
	for i := range list {
		list[i] = m
	}
	return list
}

func TestNextServer(t *testing.T) {
	sick := serve(t, func(_ string, q, r *dns.Msg) []*dns.Msg {
		r.Rcode = dns.RcodeServerFailure
		return []*dns.Msg{r}
	})
	well := serve(t, func(_ string, q, r *dns.Msg) []*dns.Msg {
		return records(t, r, q.Question[0].Name+" 60 A 192.0.2.1")
	})
	for name, first := range map[string]string{"sick": sick.addr, "nobody": nobody(t)} {
		c := client(first, well.addr)
		for _, host := range []string{"a.example", "b.example"} {
			if got, err := c.Lookup(t.Context(), host, A); err != nil || len(got) != 1 {
				t.Errorf("%s: %s: %v, %v", name, host, got, err)
			}
		}
	}
	if _, err := client(sick.addr).Lookup(t.Context(), "a.example", A); !errors.Is(err, ErrFailed) || NotFound(err) {
		t.Errorf("alone: %v", err)
	}
}

// A question is put to each server once, also while others find out which one answers.
func TestNextServerWhileOthersFindIt(t *testing.T) {
	var c atomic.Pointer[Client]
	stray := serve(t, func(_ string, _, r *dns.Msg) []*dns.Msg {
		c.Load().pulse.answered(1, time.Now())
		r.Id++
		return repeat(r, 2*maxStrays)
	})
	well := serve(t, func(_ string, q, r *dns.Msg) []*dns.Msg {
		return records(t, r, q.Question[0].Name+" 60 A 192.0.2.1")
	})
	c.Store(client(stray.addr, well.addr))
	if got, err := c.Load().Lookup(t.Context(), "a.example", A); err != nil || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
	if n := stray.asked.Load(); n != 1 {
		t.Errorf("the first server was asked %d times", n)
	}
}

// nobody is an address at which nothing listens, and at which nothing else will: whose it is
// hears from one address only, and the system refuses what comes from others.
func nobody(t *testing.T) string {
	t.Helper()
	here := netip.MustParseAddr("127.0.0.1")
	conn, err := net.DialUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(here, 0)), net.UDPAddrFromAddrPort(netip.AddrPortFrom(here, 9)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.LocalAddr().String()
}

// A domain whose own servers are silent, and resolvers that are: the first says
// something about the domain.
func TestSilence(t *testing.T) {
	s := serve(t, func(_ string, q, r *dns.Msg) []*dns.Msg {
		if q.Question[0].Name == "silent.example." {
			return nil
		}
		return []*dns.Msg{r}
	})
	// Its resolver has the time of a question to say that it is there.
	if _, err := waiting(2*time.Second, s.addr).Lookup(t.Context(), "silent.example", A); !errors.Is(err, ErrTimeout) {
		t.Errorf("a silent domain: %v", err)
	}
	dead := serve(t, func(string, *dns.Msg, *dns.Msg) []*dns.Msg { return nil })
	if _, err := hasty(dead.addr).Lookup(t.Context(), "silent.example", A); !errors.Is(err, ErrUnreachable) {
		t.Errorf("a silent server: %v", err)
	}
	if _, err := client(nobody(t)).Lookup(t.Context(), "silent.example", A); !errors.Is(err, ErrUnreachable) {
		t.Errorf("no server: %v", err)
	}
}

// Once the servers count as dead, nobody waits for them, and a few questions
// find out when they are back.
func TestDeadServersCostLittle(t *testing.T) {
	dead := serve(t, func(string, *dns.Msg, *dns.Msg) []*dns.Msg { return nil })
	c := hasty(dead.addr)
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() { c.Lookup(t.Context(), fmt.Sprintf("a%d.example", i%10), A) })
	}
	wg.Wait()
	for i := range 1000 {
		if _, err := c.Lookup(t.Context(), fmt.Sprintf("b%d.example", i), A); !errors.Is(err, ErrUnreachable) {
			t.Fatal(err)
		}
	}
	if n := dead.asked.Load(); n > 100 {
		t.Errorf("the dead server was asked %d times", n)
	}
}

// When the servers are back, the next knock finds out.
func TestBackFromTheDead(t *testing.T) {
	var alive atomic.Bool
	s := serve(t, func(_ string, q, r *dns.Msg) []*dns.Msg {
		if !alive.Load() {
			return nil
		}
		return []*dns.Msg{r}
	})
	c := hasty(s.addr)
	for i := 0; !c.pulse.dead(); i++ {
		c.Lookup(t.Context(), fmt.Sprintf("a%d.example", i), A)
	}
	alive.Store(true)
	for i := 0; ; i++ {
		if _, err := c.Lookup(t.Context(), fmt.Sprintf("b%d.example", i), A); err == nil {
			return
		}
		runtime.Gosched()
	}
}

func TestOneFlightAndCache(t *testing.T) {
	gate := make(chan bool)
	s := serve(t, func(_ string, q, r *dns.Msg) []*dns.Msg {
		<-gate
		return records(t, r, "a.example. 60 A 192.0.2.1")
	})
	c := client(s.addr)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if got, err := c.Lookup(t.Context(), "a.example", A); err != nil || len(got) != 1 {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
	close(gate)
	wg.Wait()
	c.Lookup(t.Context(), "A.EXAMPLE.", A)
	if n := s.asked.Load(); n != 1 {
		t.Errorf("the server was asked %d times", n)
	}
}

func TestKeptAsLongAsTheySay(t *testing.T) {
	negative := "example. 60 SOA a. b. 1 2 3 4 30"
	for _, test := range []struct {
		name    string
		rcode   int
		answer  []string
		ns      string
		want    time.Duration
		missing bool
	}{
		{"positive", 0, []string{"a.example. 60 A 192.0.2.1", "a.example. 50 A 192.0.2.2"}, "", 50 * time.Second, false},
		{"zero", 0, []string{"a.example. 0 A 192.0.2.1"}, "", 0, false},
		{"a year", 0, []string{"a.example. 31536000 A 192.0.2.1"}, "", longestKept, false},
		{"alias", 0, []string{"a.example. 5 CNAME b.example.", "b.example. 60 A 192.0.2.1"}, "", 5 * time.Second, false},
		{"no data", 0, nil, negative, 30 * time.Second, false},
		{"denied", dns.RcodeNameError, nil, negative, 30 * time.Second, true},
		{"denied, by nobody", dns.RcodeNameError, nil, "", 0, true},
	} {
		m := new(dns.Msg)
		m.Rcode = test.rcode
		records(t, m, test.answer...)
		if test.ns != "" {
			soa, _ := dns.NewRR(test.ns)
			m.Ns = append(m.Ns, soa)
		}
		r, err := read(m, dns.Question{Name: "a.example.", Qtype: dns.TypeA})
		if err != nil || r.ttl != test.want || r.missing != test.missing {
			t.Errorf("%s: %+v, %v", test.name, r, err)
		}
	}
}

// What says nothing of how long it may be kept is asked for once by all who need it at that time.
func TestKeptForTheMoment(t *testing.T) {
	for name, answer := range map[string][]string{"denied, by nobody": nil, "zero": {"a.example. 0 A 192.0.2.1"}} {
		s := serve(t, func(_ string, q, r *dns.Msg) []*dns.Msg {
			if answer == nil {
				r.Rcode = dns.RcodeNameError
			}
			records(t, r, answer...)
			return []*dns.Msg{r}
		})
		c := client(s.addr)
		before := time.Now()
		for range 2 {
			c.Lookup(t.Context(), "a.example", A)
		}
		if n := s.asked.Load(); n != 1 && time.Since(before) < shortestKept {
			t.Errorf("%s: the server was asked %d times", name, n)
		}
		q := question{"a.example", A}
		if _, ok := c.cache.get(q, before.Add(shortestKept-time.Millisecond)); !ok {
			t.Errorf("%s: not kept for %v", name, shortestKept)
		}
		if _, ok := c.cache.get(q, time.Now().Add(shortestKept)); ok {
			t.Errorf("%s: kept for longer than %v", name, shortestKept)
		}
	}
}

func TestCacheIsBounded(t *testing.T) {
	c := newCache(100_000)
	now := time.Now()
	for i := range 10_000 {
		c.put(question{fmt.Sprintf("name%d.example", i), A}, answer{ttl: time.Minute}, now)
	}
	if n := len(c.entries); n > 400 || c.recent.Len() != n || c.room < 0 {
		t.Errorf("%d entries, %d bytes left", n, c.room)
	}
	if _, ok := c.get(question{"name9999.example", A}, now); !ok {
		t.Error("the last answer is gone")
	}
	if _, ok := c.get(question{"name9999.example", A}, now.Add(time.Minute)); ok {
		t.Error("an answer outlived its time")
	}
	c.put(question{"huge.example", TXT}, answer{records: []Record{{Text: strings.Repeat("x", 20_000)}}, ttl: time.Minute}, now)
	if _, ok := c.get(question{"huge.example", TXT}, now); ok {
		t.Error("one answer may take a fifth of the room")
	}
}

func TestLimited(t *testing.T) {
	s := serve(t, func(_ string, q, r *dns.Msg) []*dns.Msg { return []*dns.Msg{r} })
	r := Limited(client(s.addr), 2)
	for range 2 {
		if _, err := r.Lookup(t.Context(), "a.example", A); err != nil {
			t.Error(err)
		}
	}
	if _, err := r.Lookup(t.Context(), "a.example", A); !errors.Is(err, ErrBudget) {
		t.Error(err)
	}
}
