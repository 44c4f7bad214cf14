package dns

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/miekg/dns"
)

// maxStrays is how many datagrams that answer no question of ours are passed over:
// more of them mean that an attacker is guessing, and the exchange fails.
const maxStrays = 100

// exchange sends a query and returns the response to it, however many others
// come first. The errors are those of this package.
func exchange(ctx context.Context, network, address string, query *dns.Msg) (*dns.Msg, error) {
	packed, err := query.Pack()
	if err != nil {
		return nil, err
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, unheard(err)
	}
	defer conn.Close()
	if end, ok := ctx.Deadline(); ok {
		conn.SetDeadline(end)
	}
	var m *dns.Msg
	if network == "tcp" {
		m, err = overTCP(conn, query, packed)
	} else {
		m, err = overUDP(conn, query, packed)
	}
	if err != nil {
		return nil, unheard(err)
	}
	return m, nil
}

// unheard makes an error of the network one of this package.
func unheard(err error) error {
	switch {
	case errors.Is(err, ErrFailed):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return ErrTimeout
	}
	return fmt.Errorf("%w: %w", ErrTimeout, err)
}

func overUDP(conn net.Conn, query *dns.Msg, packed []byte) (*dns.Msg, error) {
	if _, err := conn.Write(packed); err != nil {
		return nil, err
	}
	buf := make([]byte, 1<<16)
	for range maxStrays {
		n, err := conn.Read(buf)
		if err != nil {
			return nil, err
		}
		if m := response(buf[:n], query); m != nil {
			return m, nil
		}
	}
	return nil, fmt.Errorf("%w: %d datagrams, none to the question", ErrFailed, maxStrays)
}

func overTCP(conn net.Conn, query *dns.Msg, packed []byte) (*dns.Msg, error) {
	frame := binary.BigEndian.AppendUint16(nil, uint16(len(packed)))
	if _, err := conn.Write(append(frame, packed...)); err != nil {
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
	if m := response(buf, query); m != nil {
		return m, nil
	}
	return nil, fmt.Errorf("%w: what came over TCP is no response to the question", ErrFailed)
}

// response returns the message in b if it is one to the query: its number and its
// question are the same (RFC 5452, section 9.1). A truncated one need not be
// readable to its end.
func response(b []byte, query *dns.Msg) *dns.Msg {
	m := new(dns.Msg)
	err := m.Unpack(b)
	if err != nil && !m.Truncated || !m.Response || m.Id != query.Id || len(m.Question) != 1 {
		return nil
	}
	got, asked := m.Question[0], query.Question[0]
	if got.Qtype != asked.Qtype || got.Qclass != asked.Qclass || !strings.EqualFold(got.Name, asked.Name) {
		return nil
	}
	return m
}
