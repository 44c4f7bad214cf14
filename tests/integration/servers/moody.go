package servers

import (
	"net"
	"strings"
	"sync/atomic"
	"time"
)

// Moody is before a name server and answers questions for it, over UDP: at
// once, after a while, or never. It tells by the name.
type Moody struct {
	Addr string // where it listens

	moods Moods
	conn  net.PacketConn
	after string // the name server
	deaf  atomic.Bool
}

// Moods say how questions are answered.
type Moods struct {
	Slow   string        // names that hold this are answered late
	Silent string        // names that hold this are not answered
	Late   time.Duration // how late
}

// StartMoody starts a Moody before the name server at an address. Cleanup stops
// it.
func StartMoody(t TB, moods Moods, after string) *Moody {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("%v", err)
	}
	m := &Moody{Addr: conn.LocalAddr().String(), moods: moods, conn: conn, after: after}
	t.Cleanup(func() { conn.Close() })
	go m.serve()
	return m
}

// Hush has it answer nothing any more.
func (m *Moody) Hush() { m.deaf.Store(true) }

func (m *Moody) serve() {
	buf := make([]byte, 4096)
	for {
		n, from, err := m.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		query := append([]byte(nil), buf[:n]...)
		name := queryName(query)
		switch {
		case m.deaf.Load(), m.moods.Silent != "" && strings.Contains(name, m.moods.Silent):
		case m.moods.Slow != "" && strings.Contains(name, m.moods.Slow):
			time.AfterFunc(m.moods.Late, func() { m.forward(query, from) })
		default:
			go m.forward(query, from)
		}
	}
}

// forward asks the name server and passes its answer on.
func (m *Moody) forward(query []byte, from net.Addr) {
	conn, err := net.Dial("udp", m.after)
	if err != nil {
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	buf := make([]byte, 4096)
	if _, err := conn.Write(query); err != nil {
		return
	}
	if n, err := conn.Read(buf); err == nil {
		m.conn.WriteTo(buf[:n], from)
	}
}

// queryName returns the name that a query asks about (RFC 1035, section 4.1.2).
func queryName(q []byte) string {
	const header = 12
	var labels []string
	for at := header; at < len(q) && q[at] != 0 && at+1+int(q[at]) <= len(q); at += 1 + int(q[at]) {
		labels = append(labels, string(q[at+1:at+1+int(q[at])]))
	}
	return strings.Join(labels, ".")
}
