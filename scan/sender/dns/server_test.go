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
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	pc, err := net.ListenPacket("udp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
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

// client asks the given servers, and does not wait long.
func client(servers ...string) *Client {
	c := DefaultConfig()
	c.Timeout = units.Duration(200 * time.Millisecond)
	for _, s := range servers {
		c.Servers = append(c.Servers, Server(s))
	}
	return NewClient(c)
}
