package dns

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// maxStrays is how many datagrams that answer no question of ours are passed over:
// more of them mean that an attacker is guessing, and the exchange fails.
const maxStrays = 100

// The flag of the header by which a server says that an answer is not whole (RFC 1035, section 4.1.1).
const (
	truncatedAt = 2
	truncated   = 1 << 1
)

// query is a question as it is sent.
type query struct {
	packed []byte
	asked  dns.Question // with the name in the form in which answers will show it
}

// renew gives the query another number.
func (q *query) renew() { binary.BigEndian.PutUint16(q.packed, dns.Id()) }

// overUDP sends a query to a server and returns the response to it, however many others
// come first. The errors are those of this package.
func overUDP(end time.Time, server *sockets, q *query) (*dns.Msg, error) {
	k, err := server.get()
	if err != nil {
		return nil, unheard(err)
	}
	k.SetDeadline(end)
	m, strays, err := k.ask(q)
	if err != nil {
		k.Close()
		return nil, unheard(err)
	}
	if strays > 0 {
		k.Close()
	} else {
		server.put(k)
	}
	return m, nil
}

// ask returns the response to a query, and how many datagrams came that are none.
func (k *socket) ask(q *query) (m *dns.Msg, strays int, err error) {
	if _, err := k.Write(q.packed); err != nil {
		return nil, 0, err
	}
	for ; strays < maxStrays; strays++ {
		n, err := k.Read(k.in[:])
		if err != nil {
			return nil, strays, err
		}
		if n > longestDatagram {
			k.in[truncatedAt] |= truncated
		}
		if m := q.response(k.in[:n]); m != nil {
			return m, strays, nil
		}
	}
	return nil, strays, fmt.Errorf("%w: %d datagrams, none to the question", ErrFailed, strays)
}

// overTCP does what overUDP does for a response that no datagram holds.
func overTCP(end time.Time, address string, q *query) (*dns.Msg, error) {
	conn, err := (&net.Dialer{Deadline: end}).Dial("tcp", address)
	if err != nil {
		return nil, unheard(err)
	}
	defer conn.Close()
	conn.SetDeadline(end)
	m, err := q.askStream(conn)
	if err != nil {
		return nil, unheard(err)
	}
	return m, nil
}

func (q *query) askStream(conn net.Conn) (*dns.Msg, error) {
	frame := binary.BigEndian.AppendUint16(nil, uint16(len(q.packed)))
	if _, err := conn.Write(append(frame, q.packed...)); err != nil {
		return nil, err
	}
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, err
	}
	buf := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, buf); err != nil {
		return nil, err
	}
	if m := q.response(buf); m != nil {
		return m, nil
	}
	return nil, fmt.Errorf("%w: what came over TCP is no response to the question", ErrFailed)
}

// unheard makes an error of the network one of this package.
func unheard(err error) error {
	switch {
	case errors.Is(err, ErrFailed):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return ErrTimeout
	}
	return fmt.Errorf("%w: %w", ErrTimeout, err)
}

// response returns the message in b if it is one to the query: its number and its
// question are the same (RFC 5452, section 9.1). A truncated one need not be
// readable to its end.
func (q *query) response(b []byte) *dns.Msg {
	m := new(dns.Msg)
	err := m.Unpack(b)
	if err != nil && !m.Truncated || !m.Response || m.Id != binary.BigEndian.Uint16(q.packed) || len(m.Question) != 1 {
		return nil
	}
	got, asked := m.Question[0], q.asked
	if got.Qtype != asked.Qtype || got.Qclass != asked.Qclass || !strings.EqualFold(got.Name, asked.Name) {
		return nil
	}
	return m
}
