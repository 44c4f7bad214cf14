package servers

import (
	"net"
	"sync"
)

// Cable carries connections to a server, until it is cut.
type Cable struct {
	Addr string // where it takes connections
	to   string
	l    net.Listener

	mu  sync.Mutex
	cut chan struct{} // closed while the cable is whole
	all []net.Conn
}

// StartCable lays a cable to an address. Cleanup takes it away.
func StartCable(t TB, to string) *Cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("%v", err)
	}
	c := &Cable{Addr: l.Addr().String(), to: to, l: l, cut: make(chan struct{})}
	close(c.cut)
	go c.take()
	t.Cleanup(c.remove)
	return c
}

// Cut has the cable carry nothing any more: who waits for an answer is not told why none comes.
func (c *Cable) Cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = make(chan struct{})
}

// Mend has the cable carry again what waits.
func (c *Cable) Mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.cut)
}

// whole waits until the cable is not cut.
func (c *Cable) whole() {
	c.mu.Lock()
	cut := c.cut
	c.mu.Unlock()
	<-cut
}

func (c *Cable) take() {
	for {
		near, err := c.l.Accept()
		if err != nil {
			return
		}
		go c.join(near)
	}
}

// join connects one who calls with the server.
func (c *Cable) join(near net.Conn) {
	c.whole()
	far, err := net.Dial("tcp", c.to)
	if err != nil {
		near.Close()
		return
	}
	c.mu.Lock()
	c.all = append(c.all, near, far)
	c.mu.Unlock()
	go c.carry(near, far)
	c.carry(far, near)
}

// carry copies what one side says, and ends both when it is silent for good.
func (c *Cable) carry(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		c.whole()
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
		if err != nil {
			return
		}
	}
}

// remove ends all that the cable carries.
func (c *Cable) remove() {
	c.l.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.cut:
	default:
		close(c.cut)
	}
	for _, conn := range c.all {
		conn.Close()
	}
}
