package dns

import (
	"net"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// ports is a server that notes the ports that questions come from.
type ports struct {
	*net.UDPConn
	from []uint16
}

// answer answers n questions; extra datagrams go out before each answer.
func (p *ports) answer(n, extra int) {
	buf := make([]byte, 512)
	for range n {
		size, from, err := p.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		p.from = append(p.from, from.Port())
		m := new(dns.Msg)
		m.Unpack(buf[:size])
		reply := new(dns.Msg).SetReply(m)
		for range extra {
			p.WriteToUDPAddrPort([]byte("no answer"), from)
		}
		packed, _ := reply.Pack()
		p.WriteToUDPAddrPort(packed, from)
	}
}

func newPorts(t *testing.T) *ports {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &ports{UDPConn: conn}
}

// asked has the client ask n questions, one after the other.
func (p *ports) asked(c *Client, n, extra int) []uint16 {
	p.from = nil
	p.SetReadDeadline(time.Now().Add(2 * patience))
	done := make(chan bool)
	go func() { p.answer(n, extra); close(done) }()
	for i := range n {
		c.try(time.Now().Add(patience), must(question{strconv.Itoa(i) + ".example", A}.query()), 0)
	}
	<-done
	return p.from
}

func must(q *query, _ error) *query { return q }

func distinct(list []uint16) int {
	seen := map[uint16]bool{}
	for _, p := range list {
		seen[p] = true
	}
	return len(seen)
}

// TestSocketsAreUsedAgain asks many questions: each port serves some, and no more.
func TestSocketsAreUsedAgain(t *testing.T) {
	p := newPorts(t)
	c := client(p.LocalAddr().String())
	if got := distinct(p.asked(c, 3*mostQuestions, 0)); got != 3 {
		t.Errorf("%d questions came from %d ports, want 3", 3*mostQuestions, got)
	}
}

// TestStrayDatagramsEndSockets wants no socket used again on which something else came.
func TestStrayDatagramsEndSockets(t *testing.T) {
	p := newPorts(t)
	c := client(p.LocalAddr().String())
	if got := distinct(p.asked(c, 10, 2)); got < 9 { // the system may choose one twice
		t.Errorf("10 questions with strays came from %d ports", got)
	}
	if n := len(c.sockets[0].idle); n != 0 {
		t.Errorf("%d sockets are kept", n)
	}
}

// TestSilenceEndsSockets wants no socket used again whose answer may still come.
func TestSilenceEndsSockets(t *testing.T) {
	p := newPorts(t)
	c := client(p.LocalAddr().String())
	c.try(time.Now().Add(50*time.Millisecond), must(question{"a.example", A}.query()), 0)
	if n := len(c.sockets[0].idle); n != 0 {
		t.Errorf("%d sockets are kept", n)
	}
}

// TestIdleSocketsAreClosed takes an idle socket before and after it is too old.
func TestIdleSocketsAreClosed(t *testing.T) {
	s := newSockets("127.0.0.1:5353")
	k, err := s.get()
	if err != nil {
		t.Fatal(err)
	}
	s.put(k)
	now := k.used
	if got := s.take(now.Add(longestIdle - 1)); got != k {
		t.Errorf("took %v, want the socket", got)
	}
	s.put(k)
	if got := s.take(time.Now().Add(longestIdle + time.Second)); got != nil || len(s.idle) != 0 {
		t.Errorf("took %v, and %d are kept", got, len(s.idle))
	}
	if err := k.Close(); err == nil {
		t.Error("the socket was not closed")
	}
}
