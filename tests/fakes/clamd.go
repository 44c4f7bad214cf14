// Package fakes holds servers that misbehave on purpose. The faults of a server are
// data: a literal lists them all.
package fakes

import (
	"bufio"
	"io"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// Clamd is a clamd for tests. The zero value is a good one that finds nothing.
// It knows what the scanner uses: IDSESSION, INSTREAM, FILDES, VERSION, STATS
// and PING. The fields are read while it runs and must not change; what may
// change has methods.
type Clamd struct {
	Virus      string // content that holds this is infected …
	Signature  string // … with this; default "Fake-Virus"
	Beyond     string // content that holds this is beyond its limits, and it says so
	Answer     string // written instead of every verdict, terminator included; %d is its number
	Backwards  int    // so many answers come in reverse, when the last of them is due
	ByteByByte bool   // answers are written a byte at a time
	Mute       bool   // connections are accepted, commands read, nothing is said
	Deaf       bool   // connections are accepted and nothing is read
	Hangup     bool   // connections are closed at once
	DropAfter  int64  // closes without a word after that many bytes of one content
	DropWhen   int    // closes without a word instead of the answer with that number in a session
	Limit      int64  // StreamMaxLength; a longer stream ends the session

	run *running
}

// running is a Clamd that was started.
type running struct {
	listener net.Listener
	work     sync.WaitGroup
	stopped  chan struct{}
	dialled  atomic.Int64
	sessions atomic.Int64
	database atomic.Int64

	mu    sync.Mutex
	conns map[net.Conn]bool
	got   [][]byte
}

// Start listens on the network, "unix" or "tcp", and returns the address as a
// configuration writes it. The test ends it.
func (c *Clamd) Start(t testing.TB, network string) string {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "clamd.sock")
	}
	return c.StartAt(t, network, address)
}

// StartAt listens like Start, on a given address, where another may have stopped.
func (c *Clamd) StartAt(t testing.TB, network, address string) string {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatalf("fake clamd: %v", err)
	}
	c.run = &running{listener: l, stopped: make(chan struct{}), conns: map[net.Conn]bool{}}
	c.run.work.Go(c.accept)
	t.Cleanup(c.Stop)
	return network + ":" + l.Addr().String()
}

// Stop closes everything, as a crash would, and waits for it.
func (c *Clamd) Stop() {
	r := c.run
	r.listener.Close()
	r.mu.Lock()
	select {
	case <-r.stopped:
	default:
		close(r.stopped)
	}
	for conn := range r.conns {
		conn.Close()
	}
	r.mu.Unlock()
	r.work.Wait()
}

// Got returns every content it was asked about, in the order of arrival.
func (c *Clamd) Got() [][]byte {
	c.run.mu.Lock()
	defer c.run.mu.Unlock()
	return slices.Clone(c.run.got)
}

// Dialled returns how many connections it has seen.
func (c *Clamd) Dialled() int64 { return c.run.dialled.Load() }

// Sessions returns how many sessions were begun.
func (c *Clamd) Sessions() int64 { return c.run.sessions.Load() }

// Open returns how many connections are open.
func (c *Clamd) Open() int {
	c.run.mu.Lock()
	defer c.run.mu.Unlock()
	return len(c.run.conns)
}

// EndSessions writes last words to all connections and closes them, as clamd does when it
// has heard nothing for long.
func (c *Clamd) EndSessions(words string) {
	c.run.mu.Lock()
	defer c.run.mu.Unlock()
	for conn := range c.run.conns {
		io.WriteString(conn, words)
		conn.Close()
	}
}

// NewDatabase makes STATS tell of another database.
func (c *Clamd) NewDatabase() { c.run.database.Add(1) }

func (c *Clamd) accept() {
	for {
		conn, err := c.run.listener.Accept()
		if err != nil {
			return
		}
		c.run.dialled.Add(1)
		c.run.work.Go(func() { c.serve(conn) })
	}
}

// register makes a connection one that Stop closes, and reports whether it is
// not too late for that.
func (r *running) register(conn net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns[conn] = true
	select {
	case <-r.stopped:
		return false
	default:
		return true
	}
}

func (r *running) drop(conn net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, conn)
	conn.Close()
}

func (c *Clamd) serve(conn net.Conn) {
	defer c.run.drop(conn)
	switch {
	case c.Hangup, !c.run.register(conn):
		return
	case c.Deaf:
		<-c.run.stopped
		return
	}
	p := &peer{Clamd: c, conn: conn, files: newReader(conn)}
	p.in = bufio.NewReader(p.files)
	defer p.files.close()
	p.talk()
}
