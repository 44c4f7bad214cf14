package dns

import (
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/milterscan/milterscan/scan/units"
)

// server is a DNS server on UDP and TCP that answers as a test wants.
type server struct {
	addr  string
	asked atomic.Int64
}

// serve starts a server. respond is given the query, and the response to it
// that says nothing yet, and returns what is sent; nil is silence.
func serve(t *testing.T, respond func(network string, q, r *dns.Msg) []*dns.Msg) *server {
	t.Helper()
	l, pc := bothWays(t)
	s := &server{addr: l.Addr().String()}
	handler := func(network string) dns.HandlerFunc {
		return func(w dns.ResponseWriter, q *dns.Msg) {
			s.asked.Add(1)
			for _, m := range respond(network, q, new(dns.Msg).SetReply(q)) {
				w.WriteMsg(m)
			}
		}
	}
	for _, srv := range []*dns.Server{{PacketConn: pc, Handler: handler("udp")}, {Listener: l, Handler: handler("tcp")}} {
		started, ended := make(chan bool), make(chan bool)
		srv.NotifyStartedFunc = func() { close(started) }
		go func() {
			defer close(ended)
			srv.ActivateAndServe()
		}()
		<-started
		t.Cleanup(func() {
			srv.Shutdown()
			<-ended
		})
	}
	return s
}

// bothWays listens on a port over TCP and over UDP. One that is free over TCP may not be so over
// UDP, where every question comes from a port of its own.
func bothWays(t *testing.T) (net.Listener, net.PacketConn) {
	t.Helper()
	for last := time.Now().Add(patience); ; {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		pc, err := net.ListenPacket("udp", l.Addr().String())
		if err == nil {
			return l, pc
		}
		if l.Close(); time.Now().After(last) {
			t.Fatal(err)
		}
	}
}

// records makes a response hold records in the form of zone files.
func records(t *testing.T, m *dns.Msg, lines ...string) []*dns.Msg {
	t.Helper()
	for _, line := range lines {
		rr, err := dns.NewRR(line)
		if err != nil {
			t.Error(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	return []*dns.Msg{m}
}

// patience is how long a busy host may take for an answer that comes.
const patience = time.Minute

// client asks servers that answer.
func client(servers ...string) *Client { return waiting(patience, servers...) }

// hasty asks servers some of which are silent, and does not wait long for them.
func hasty(servers ...string) *Client { return waiting(200*time.Millisecond, servers...) }

func waiting(most time.Duration, servers ...string) *Client {
	c := DefaultConfig()
	c.Timeout = units.Duration(most)
	for _, s := range servers {
		c.Servers = append(c.Servers, Server(s))
	}
	return NewClient(c)
}
