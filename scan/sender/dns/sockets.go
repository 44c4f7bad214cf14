package dns

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// Bounds of sockets that are used again. The system chooses the port of each at random,
// and who forges an answer has to guess it as well as the number of the question (RFC
// 5452, section 4.5): no port stays long.
const (
	mostQuestions = 64
	mostIdle      = 32
	longestIdle   = 10 * time.Second
)

// longestDatagram is how long an answer over UDP may be: more than is asked for, since some servers
// do not heed that. A longer one counts as truncated.
const longestDatagram = 4096

// sockets keeps UDP sockets that are connected to one server for the next questions.
type sockets struct {
	server netip.AddrPort

	mu   sync.Mutex
	idle []*socket // the last one was used last
}

// socket carries one question at a time.
type socket struct {
	*net.UDPConn
	questions int
	used      time.Time
	in        [longestDatagram + 1]byte
}

func newSockets(s Server) *sockets {
	server, _ := netip.ParseAddrPort(string(s)) // which Server.UnmarshalText has read before
	return &sockets{server: server}
}

// get returns a socket that no other question uses.
func (s *sockets) get() (*socket, error) {
	if k := s.take(time.Now()); k != nil {
		return k, nil
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(s.server))
	return &socket{UDPConn: conn}, err
}

// take returns the idle socket used last, nil if there is none, or none that is fresh.
func (s *sockets) take(now time.Time) *socket {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.idle) - 1
	if last < 0 {
		return nil
	}
	if k := s.idle[last]; now.Sub(k.used) < longestIdle {
		s.idle = s.idle[:last]
		return k
	}
	for _, k := range s.idle {
		k.Close()
	}
	s.idle = nil
	return nil
}

// put takes a socket back on which the answer has come and nothing else. All others are
// to be closed: what comes late must not meet the next question.
func (s *sockets) put(k *socket) {
	k.questions++
	k.used = time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.questions >= mostQuestions || len(s.idle) >= mostIdle {
		k.Close()
		return
	}
	s.idle = append(s.idle, k)
}
