package milter

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"
)

// holder is a connection that has a slot, as a test has it.
type holder struct {
	peer string
	kind kind
	age  time.Duration
}

// claimed returns slots that are all in use, and their connections.
func claimed(t *testing.T, holders []holder, now time.Time) (*slots, []*conn) {
	t.Helper()
	s := newSlots(len(holders))
	var all []*conn
	for _, h := range holders {
		if !s.take(t.Context(), h.peer, nil) {
			t.Fatal("no slot")
		}
		raw, other := net.Pipe()
		t.Cleanup(func() { other.Close() })
		c := &conn{raw: raw, peer: h.peer}
		c.phase.Store(&phase{h.kind, now.Add(-h.age)})
		s.occupy(c)
		all = append(all, c)
	}
	return s, all
}

func TestWhoGivesWay(t *testing.T) {
	hog := func(k kind, age time.Duration) []holder {
		return []holder{{"hog", k, age}, {"hog", k, age + 1}, {"hog", k, age}}
	}
	tests := map[string]struct {
		holders []holder
		asks    string
		want    int // -1: none
	}{
		"a hog that has said nothing":      {hog(idle, 0), "other", 1},
		"a hog with envelopes":             {hog(hasEnvelope, 10*time.Second), "other", 1},
		"a hog with young envelopes":       {hog(hasEnvelope, 9*time.Second), "other", -1},
		"a hog with content that trickles": {hog(hasContent, time.Minute), "other", 1},
		"a hog with content":               {hog(hasContent, 59*time.Second), "other", -1},
		"a hog we keep waiting":            {hog(atWork, time.Hour), "other", -1},
		"its own idle ones":                {hog(idle, 10*time.Second), "hog", 1},
		"its own young ones":               {hog(idle, 9*time.Second), "hog", -1},
		"its own slow clients":             {hog(hasEnvelope, 9*time.Minute), "hog", -1},
		"its own lost clients":             {hog(hasEnvelope, 10*time.Minute), "hog", 1},
		"its own messages at work":         {hog(atWork, time.Hour), "hog", -1},
		"the larger part, not the older":   {[]holder{{"small", idle, 5 * time.Second}, {"hog", idle, 0}, {"hog", idle, 1}}, "other", 2},
		"an idle one before an envelope":   {[]holder{{"hog", hasEnvelope, time.Hour}, {"hog", idle, 1}}, "other", 1},
		"equal parts stay":                 {[]holder{{"hog", idle, 0}, {"other", idle, 0}}, "other", -1},
		"one more is no larger part":       {[]holder{{"hog", idle, 0}, {"hog", idle, 0}, {"other", idle, 0}}, "other", -1},
		"all idle, all equal":              {[]holder{{"a", idle, time.Minute}, {"b", idle, time.Hour}}, "c", 1},
	}
	for name, test := range tests {
		now := time.Now()
		s, conns := claimed(t, test.holders, now)
		s.waiting = append(s.waiting, &claim{test.asks, make(chan bool, 1)})
		s.makeWay(now)
		for i, c := range conns {
			if gave := c.phase.Load().kind == gaveWay; gave != (i == test.want) {
				t.Errorf("%s: connection %d gave way: %v", name, i, gave)
			}
		}
	}
}

// TestFreeSlotGoesToTheFewest has two MTAs wait, the greedy one for longer.
func TestFreeSlotGoesToTheFewest(t *testing.T) {
	s, conns := claimed(t, []holder{{"hog", atWork, 0}, {"hog", atWork, 0}}, time.Now())
	greedy, _ := s.join("hog")
	other, _ := s.join("other")
	s.give(conns[0])
	if len(greedy.settled) != 0 || len(other.settled) != 1 || s.held["hog"] != 1 || s.held["other"] != 1 {
		t.Errorf("the hog: %d, the other: %d; held %v", len(greedy.settled), len(other.settled), s.held)
	}
	s.leave(greedy)
	s.leave(other) // which had a slot, and did not know
	s.give(conns[1])
	if s.taken() != 0 || len(s.waiting) != 0 || len(s.held) != 0 {
		t.Errorf("held at the end: %v, waiting %d", s.held, len(s.waiting))
	}
}

// TestQueueIsBounded has more wait than may be open: the MTA with the most in the
// queue has its oldest sent away.
func TestQueueIsBounded(t *testing.T) {
	s, _ := claimed(t, []holder{{"hog", atWork, 0}, {"hog", atWork, 0}}, time.Now())
	first, _ := s.join("hog")
	second, _ := s.join("hog")
	other, _ := s.join("other")
	if len(first.settled) != 1 || <-first.settled || len(second.settled)+len(other.settled) != 0 {
		t.Error("it is not the first of the hog that must go")
	}
}

// TestOneGivesWayForOne has two wait: no more than two connections are ended, and
// those that have been count until they are gone.
func TestOneGivesWayForOne(t *testing.T) {
	s, conns := claimed(t, []holder{{"hog", idle, 3}, {"hog", idle, 2}, {"hog", idle, 1}, {"hog", idle, 0}}, time.Now())
	s.join("other")
	for range 5 {
		s.change(func() {})
	}
	if s.leaving != 1 {
		t.Errorf("%d give way for one", s.leaving)
	}
	s.give(conns[0])
	if s.leaving != 0 || s.held["other"] != 1 {
		t.Errorf("%d still leave, held %v", s.leaving, s.held)
	}
}

// from connects from an address, as an MTA of its own.
func (f *fixture) from(t *testing.T, addr string) *rawClient {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(addr)}}
	c, err := d.Dial("tcp", f.Addrs()[1].String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return (&rawClient{c, t}).wait()
}

// TestNoMTAShutsOutAnother fills all places and the queue from one address, with
// connections that say nothing, that negotiate, and that have had a message: an MTA
// at another address, and one at the unix socket, are answered.
func TestNoMTAShutsOutAnother(t *testing.T) {
	for what, say := range map[string]func(*rawClient){
		"nothing":       func(*rawClient) {},
		"a negotiation": func(r *rawClient) { r.send(cmdNegotiate, offerOf(6, allActions, allProtocol)) },
		"a message":     func(r *rawClient) { r.put(start6 + strings.Join(wire(), "")) },
	} {
		t.Run(what, func(t *testing.T) {
			f := start(t, newFake(), Options{MaxConnections: 4})
			o := f.options
			o.Listen = append(o.Listen, "tcp:127.0.0.1:0")
			if err := f.Reload(o); err != nil {
				t.Fatal(err)
			}
			for range 20 {
				say(f.from(t, "127.0.0.2"))
			}
			f.waitFor(t, "all connections are in use; more must wait")
			for _, r := range []*rawClient{f.from(t, "127.0.0.3"), f.raw(t)} {
				r.negotiate(6, allActions, allProtocol)
				if a := r.message(); a.code != 'a' {
					t.Errorf("%v", a)
				}
			}
			f.waitFor(t, "connection closed: it did nothing while others waited for a place")
		})
	}
}

// TestWorkDoesNotGiveWay has all places at work when another MTA comes: they are
// answered.
func TestWorkDoesNotGiveWay(t *testing.T) {
	j, judged, letGo := held()
	f := start(t, j, Options{MaxConnections: 2})
	o := f.options
	o.Listen = append(o.Listen, "tcp:127.0.0.1:0")
	if err := f.Reload(o); err != nil {
		t.Fatal(err)
	}
	var busy []*rawClient
	for range 2 {
		r := f.from(t, "127.0.0.2")
		r.negotiate(6, allActions, allProtocol)
		r.put(strings.Join(wire(), ""))
		<-judged
		busy = append(busy, r)
	}
	other := f.from(t, "127.0.0.3")
	other.send(cmdNegotiate, offerOf(6, allActions, allProtocol))
	f.waitFor(t, "all connections are in use; more must wait")
	close(letGo)
	for _, r := range busy {
		if a := r.answer(); a.code != 'a' {
			t.Errorf("%v", a)
		}
	}
	if a := other.reply(); a.code != cmdNegotiate {
		t.Errorf("%v", a)
	}
}

func TestPeers(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.1:25": "192.0.2.1", "[::ffff:192.0.2.1]:1": "192.0.2.1",
		"[2001:db8:1:2:3::4]:25": "2001:db8:1:2::/64", "[fe80::1%lo]:25": "fe80::/64",
	} {
		tcp, err := net.ResolveTCPAddr("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := peerOf(addressed{tcp}); got != want {
			t.Errorf("%s: %q", addr, got)
		}
	}
}

// addressed is a connection that has an address.
type addressed struct{ addr net.Addr }

func (a addressed) RemoteAddr() net.Addr { return a.addr }

// TestWaitingEnds has the server shut down while a connection waits.
func TestWaitingEnds(t *testing.T) {
	s, _ := claimed(t, []holder{{"hog", atWork, 0}}, time.Now())
	ctx, cancel := context.WithCancel(t.Context())
	if s.take(ctx, "other", func(bool) { cancel() }) || len(s.waiting) != 0 {
		t.Errorf("it has a slot, or %d still wait", len(s.waiting))
	}
}
