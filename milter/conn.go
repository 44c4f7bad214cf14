package milter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

const (
	inputSize    = 8 << 10     // of the input buffer: a small message fits
	outputSize   = 64 << 10    // replies held back at most
	keptOutput   = 4 << 10     // of the output buffer between messages
	frameTimeout = time.Minute // for the rest of a frame once it has begun
)

// conn stands between the MTA and the library, as the library's connection. The
// library trusts every frame: it allocates what a length says, and a frame cut
// short makes it panic in a goroutine nobody can recover. So frames are checked
// before it sees them. Beyond that, conn reads ahead, holds replies back until
// the MTA is waited for, so that all changes and the answer go out in one
// write, and notices an MTA that hangs up while a message is being judged.
//
// It is used by the session's goroutine alone, but for wake and abandon.
type conn struct {
	raw     net.Conn
	options Options

	in         []byte // in[start:end] is read ahead
	start, end int
	left       int  // bytes of the present frame the library is still to get
	negotiated bool // the first frame has passed
	out        []byte
	err        error    // why nothing can be read or written any more
	onSent     []func() // to be called once what is held back has been sent

	closed func(cause error) // called once, when the library is done
}

func newConn(raw net.Conn, o Options, closed func(cause error)) *conn {
	return &conn{raw: raw, options: o, in: make([]byte, inputSize), closed: closed}
}

// Read gives the library bytes of checked frames. Every failure is io.EOF to
// it; the true cause goes to closed.
func (c *conn) Read(p []byte) (int, error) {
	if c.left == 0 {
		c.fail(c.next())
	}
	if c.err != nil {
		return 0, io.EOF
	}
	n, err := c.take(p[:min(len(p), c.left)])
	c.left -= n
	if c.fail(err); n == 0 && c.err != nil {
		return 0, io.EOF
	}
	return n, nil
}

// take reads what is there already, or straight into p.
func (c *conn) take(p []byte) (int, error) {
	if c.start < c.end {
		n := copy(p, c.in[c.start:c.end])
		c.start += n
		return n, nil
	}
	if err := c.flush(); err != nil {
		return 0, err
	}
	c.raw.SetReadDeadline(time.Now().Add(frameTimeout))
	return c.raw.Read(p)
}

// next makes sure of the next frame: that it is one, and that all of it is
// there, except for body chunks, which hold nothing to check.
func (c *conn) next() error {
	if c.err != nil {
		return c.err
	}
	if err := c.need(4); err != nil {
		return err
	}
	length := binary.BigEndian.Uint32(c.in[c.start:])
	if length == 0 {
		return &frameError{reason: errors.New("no command")}
	}
	if err := c.need(5); err != nil {
		return err
	}
	command := c.in[c.start+4]
	if err := c.admit(command, length); err != nil {
		return &frameError{command, length, err}
	}
	c.left = 4 + int(length)
	if command == cmdBody {
		return nil
	}
	if err := c.need(c.left); err != nil {
		return err
	}
	if err := checkFrame(command, c.in[c.start+5:c.start+c.left]); err != nil {
		return &frameError{command, length, err}
	}
	return nil
}

// admit judges a frame by its first five bytes.
func (c *conn) admit(command byte, length uint32) error {
	if length > uint32(maxLength(command)) {
		return fmt.Errorf("more than the %d bytes it may have", maxLength(command))
	}
	if (command == cmdNegotiate) == c.negotiated {
		return errors.New("negotiation comes first, and once")
	}
	c.negotiated = true
	return nil
}

// need reads until n bytes are there.
func (c *conn) need(n int) error {
	for c.end-c.start < n {
		if err := c.flush(); err != nil {
			return err
		}
		c.raw.SetReadDeadline(time.Now().Add(c.patience()))
		if err := c.readAhead(n); err != nil {
			return err
		}
	}
	return nil
}

// patience is how long the MTA may take for its next bytes.
func (c *conn) patience() time.Duration {
	switch {
	case !c.negotiated:
		return c.options.NegotiationTimeout
	case c.start == c.end:
		return c.options.ReadTimeout
	}
	return frameTimeout
}

// readAhead reads once, where n bytes are wanted in all.
func (c *conn) readAhead(n int) error {
	c.makeRoom(n)
	got, err := c.raw.Read(c.in[c.end:])
	c.end += got
	if got > 0 {
		return nil
	}
	if errors.Is(err, io.EOF) && c.start < c.end {
		return io.ErrUnexpectedEOF
	}
	return err
}

// makeRoom makes space behind what is read ahead. The buffer grows as bytes
// arrive, never because a length promises them, and shrinks when it is empty.
func (c *conn) makeRoom(n int) {
	if c.start == c.end {
		c.start, c.end = 0, 0
		if len(c.in) > inputSize {
			c.in = make([]byte, inputSize)
		}
	}
	if c.end < len(c.in) && c.start+n <= len(c.in) {
		return
	}
	copy(c.in, c.in[c.start:c.end])
	c.start, c.end = 0, c.end-c.start
	if c.end == len(c.in) {
		c.in = append(c.in, make([]byte, len(c.in))...)
	}
}

// offer reads the frame in which the MTA says what it can do, and leaves it for
// the library to read again.
func (c *conn) offer() (offer, error) {
	c.fail(c.next())
	if c.err != nil {
		return offer{}, c.err
	}
	return readOffer(c.in[c.start+5 : c.start+c.left])
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

// flush sends what is held back.
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

// errQuiet is what watch returns when it is time for a sign of life.
var errQuiet = errors.New("nothing happened")

// watch waits until done is closed, and wake called after that; until the given
// time is over, with errQuiet; or until the MTA hangs up, with another error.
// Meanwhile the MTA is waiting, too, and has nothing to say.
func (c *conn) watch(done <-chan struct{}, until time.Duration) error {
	if c.err != nil {
		return c.err
	}
	c.raw.SetReadDeadline(time.Now().Add(until))
	for c.end-c.start < outputSize {
		select {
		case <-done:
			return nil
		default:
		}
		err := c.readAhead(c.end - c.start + 1)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return stillQuiet(done)
		}
		if c.fail(err); c.err != nil {
			return c.err
		}
	}
	c.fail(errors.New("the MTA goes on talking while it should wait for an answer"))
	return c.err
}

func stillQuiet(done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	default:
		return errQuiet
	}
}

// wake ends a watch whose done is closed. Any goroutine may call it.
func (c *conn) wake() { c.raw.SetReadDeadline(time.Unix(1, 0)) }

// abandon breaks the connection off. Any goroutine may call it; the session
// then comes to its own end.
func (c *conn) abandon() { c.raw.Close() }

// fail notes the first error.
func (c *conn) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// Close is the library saying that the session is over.
func (c *conn) Close() error {
	c.flush()
	c.raw.Close()
	if c.closed != nil {
		closed := c.closed
		c.closed = nil
		closed(c.err)
	}
	return nil
}

// LocalAddr is part of net.Conn.
func (c *conn) LocalAddr() net.Addr { return c.raw.LocalAddr() }

// RemoteAddr is part of net.Conn.
func (c *conn) RemoteAddr() net.Addr { return c.raw.RemoteAddr() }

// SetDeadline does nothing: conn sets its own deadlines. The library would give
// the MTA one second to negotiate.
func (c *conn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing, as SetDeadline.
func (c *conn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing, as SetDeadline.
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

// frameError is a frame that breaks the protocol.
type frameError struct {
	command byte
	length  uint32
	reason  error
}

func (e *frameError) Error() string {
	return fmt.Sprintf("frame %q of %d bytes: %v", e.command, e.length, e.reason)
}

func (e *frameError) Unwrap() error { return e.reason }

var _ net.Conn = (*conn)(nil)
