package milter

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/milterscan/milterscan/scan/scratch"
)

// contentTaker takes the content of a message. It must not keep what it gets.
type contentTaker interface {
	takes(command byte) bool  // a frame of this command may come now, and the MTA waits for no reply to it
	field(name, value []byte) // of the header
	endOfHeader()
	piece(b []byte) // of the body, of any length
}

// nextForLibrary returns next past the content that is taken.
func (c *conn) nextForLibrary() error {
	for {
		if err := c.next(); err != nil {
			return err
		}
		command := c.in[c.start+4]
		if c.content == nil || !c.content.takes(command) {
			return nil
		}
		if err := c.pass(command); err != nil {
			return err
		}
	}
}

// pass hands over a frame of content.
func (c *conn) pass(command byte) error {
	if command == cmdBody {
		return c.passBody()
	}
	data := c.in[c.start+5 : c.start+c.left]
	if command == cmdHeader {
		name, value, _ := bytes.Cut(data, []byte{0})
		c.content.field(name, value[:len(value)-1]) // checkHeader has seen two strings
	} else {
		c.content.endOfHeader()
	}
	c.start, c.left = c.start+c.left, 0
	return nil
}

// passBody hands over a body chunk as it comes, without waiting for all of it.
func (c *conn) passBody() error {
	c.start, c.left = c.start+5, c.left-5
	for c.left > 0 {
		if c.start == c.end {
			c.borrow()
		}
		if err := c.need(1); err != nil {
			return err
		}
		n := min(c.left, c.end-c.start)
		c.content.piece(c.in[c.start : c.start+n])
		c.start, c.left = c.start+n, c.left-n
	}
	return nil
}

// borrow makes the input buffer, which is empty, a large one.
func (c *conn) borrow() {
	if c.lent == nil {
		c.lent = scratch.Lend()
		c.in, c.start, c.end = c.lent[:], 0, 0
	}
}

// giveBack makes the input buffer, which is empty, a small one.
func (c *conn) giveBack() {
	if c.lent != nil {
		c.lent.Return()
		c.lent = nil
	}
	c.in, c.start, c.end = c.small[:], 0, 0
}

// next makes sure of the next frame: that it is one, and that all of it is
// there, except for body chunks, which hold nothing to check.
func (c *conn) next() error {
	if c.err != nil {
		return c.err
	}
	c.frameEnd = time.Time{}
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
		c.raw.SetReadDeadline(c.deadline(time.Now()))
		if err := c.readAhead(n); err != nil {
			return err
		}
	}
	return nil
}

// deadline returns until when the MTA must send its next bytes. Negotiation and each frame
// that has begun have a time in all, however small the pieces they come in.
func (c *conn) deadline(now time.Time) time.Time {
	switch {
	case !c.greeted:
		return c.opened.Add(c.options.NegotiationTimeout)
	case !c.midFrame():
		return now.Add(c.options.ReadTimeout)
	case c.frameEnd.IsZero():
		c.frameEnd = now.Add(frameTimeout)
	}
	return c.frameEnd
}

// midFrame reports whether a frame has begun whose end has not been read.
func (c *conn) midFrame() bool { return c.start < c.end || c.left > 0 }

// readAhead reads once, where n bytes are wanted in all.
func (c *conn) readAhead(n int) error {
	c.makeRoom(n)
	got, err := c.raw.Read(c.in[c.end:])
	c.end += got
	if got > 0 {
		return nil
	}
	if errors.Is(err, io.EOF) && c.midFrame() {
		return io.ErrUnexpectedEOF
	}
	return err
}

// makeRoom makes space after the bytes read ahead. The buffer grows as bytes
// arrive, never because a length promises them, and shrinks when it is empty.
func (c *conn) makeRoom(n int) {
	if c.start == c.end {
		c.start, c.end = 0, 0
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
	c.greeted = true
	return readOffer(c.in[c.start+5 : c.start+c.left])
}
