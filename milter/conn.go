package milter

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/milterscan/milterscan/scan/scratch"
)

const (
	inputSize    = 8 << 10     // of the input buffer: a small message fits
	outputSize   = 64 << 10    // replies held back at most
	keptOutput   = 4 << 10     // of the output buffer between messages
	frameTimeout = time.Minute // for the rest of a frame once it has begun
)

// conn is between the MTA and the library, as the library's connection. The
// library trusts every frame: it allocates what a length says, and a frame cut
// short makes it panic in a goroutine that we cannot recover. So conn checks
// frames before the library sees them. Beyond that, conn reads ahead, holds
// replies back until it waits for the MTA, so that all changes and the answer go
// out in one write, and notices an MTA that hangs up while a message is judged.
//
// The content of messages goes past the library: it would allocate every field and
// every chunk again, and has nothing to say about them.
//
// It is used by the session's goroutine alone, but for wake, abandon and giveWay.
type conn struct {
	raw     net.Conn
	options Options
	door    *door // that it came in by
	peer    string
	phase   atomic.Pointer[phase]

	in         []byte // in[start:end] is read ahead
	start, end int
	small      *[inputSize]byte // what in is where nothing larger is needed
	lent       *scratch.Buffer  // what in is while the body comes
	content    contentTaker     // nil: the library is to have the content
	left       int              // bytes of the present frame the library is still to get
	negotiated bool             // the first frame has begun
	greeted    bool             // it has passed
	opened     time.Time
	frameEnd   time.Time // when the frame that has begun must be there; zero if that is not set
	out        []byte
	err        error    // why nothing can be read or written any more
	onSent     []func() // to be called once the held replies have been sent

	closed func(cause error) // called once, when the library is done
}

// inputs holds the buffers no connection uses at present: an MTA may connect for
// each message.
var inputs = sync.Pool{New: func() any { return new([inputSize]byte) }}

func newConn(raw net.Conn, o Options, closed func(cause error)) *conn {
	small := inputs.Get().(*[inputSize]byte)
	c := &conn{raw: raw, options: o, in: small[:], small: small, opened: time.Now(), closed: closed}
	c.phase.Store(&phase{idle, c.opened})
	return c
}

// Read gives the library bytes of checked frames. Every failure is
// net.ErrClosed to it, about which it says nothing; the true cause goes to
// closed.
func (c *conn) Read(p []byte) (int, error) {
	if c.left == 0 {
		c.fail(c.nextForLibrary())
	}
	if c.err != nil {
		return 0, net.ErrClosed
	}
	n, err := c.take(p[:min(len(p), c.left)])
	c.left -= n
	if c.fail(err); n == 0 && c.err != nil {
		return 0, net.ErrClosed
	}
	return n, nil
}

// take returns bytes that were read ahead, or reads straight into p.
func (c *conn) take(p []byte) (int, error) {
	if c.start < c.end {
		n := copy(p, c.in[c.start:c.end])
		if c.start += n; c.start == c.end {
			c.giveBack()
		}
		return n, nil
	}
	if err := c.flush(); err != nil {
		return 0, err
	}
	c.raw.SetReadDeadline(c.deadline(time.Now()))
	return c.raw.Read(p)
}

// Write holds back what the library writes until flush.
func (c *conn) Write(p []byte) (int, error) {
	if c.err != nil {
		return 0, net.ErrClosed
	}
	if len(c.out)+len(p) <= outputSize {
		c.out = append(c.out, p...)
		return len(p), nil
	}
	if err := c.send(c.out, p); err != nil {
		return 0, net.ErrClosed
	}
	return len(p), nil
}

// flush sends the replies held back.
func (c *conn) flush() error {
	if len(c.out) > 0 {
		c.send(c.out)
	}
	for _, f := range c.onSent {
		f()
	}
	c.onSent = c.onSent[:0]
	return c.err
}

// send sends pieces, of which the first is what was held back.
func (c *conn) send(pieces ...[]byte) error {
	if c.err != nil {
		return c.err
	}
	c.raw.SetWriteDeadline(time.Now().Add(c.options.WriteTimeout))
	var err error
	if len(pieces) == 1 {
		_, err = c.raw.Write(pieces[0])
	} else {
		buffers := net.Buffers(pieces)
		_, err = buffers.WriteTo(c.raw)
	}
	if c.out = c.out[:0]; cap(c.out) > keptOutput {
		c.out = nil
	}
	c.fail(err)
	return c.err
}

// whenSent has f called once the reply that comes next has been sent, or can
// not be.
func (c *conn) whenSent(f func()) { c.onSent = append(c.onSent, f) }

// abandon breaks the connection off. Any goroutine may call it; the session
// then comes to its own end.
func (c *conn) abandon() { c.raw.Close() }

// fail notes the first error.
func (c *conn) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// Close returns the library saying that the session is over.
func (c *conn) Close() error {
	c.flush()
	c.raw.Close()
	if c.closed == nil {
		return nil
	}
	c.closed(c.err)
	c.closed = nil
	c.fail(net.ErrClosed) // the buffers are for others
	c.giveBack()
	inputs.Put(c.small)
	c.in, c.small = nil, nil
	return nil
}

// LocalAddr implements net.Conn.
func (c *conn) LocalAddr() net.Addr { return c.raw.LocalAddr() }

// RemoteAddr implements net.Conn.
func (c *conn) RemoteAddr() net.Addr { return c.raw.RemoteAddr() }

// SetDeadline does nothing: conn sets its own deadlines. The library would give
// the MTA one second to negotiate.
func (c *conn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing, as SetDeadline.
func (c *conn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing, as SetDeadline.
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

var _ net.Conn = (*conn)(nil)
