package worker

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/milterscan/milterscan/scan/format/archive"
)

// A conversation is frames both ways: one byte for the kind, four for the length
// of what follows, lowest first. The parent sends a job; the child asks for pieces
// of the container, and sends members, each with its body in pieces, and at last
// the notes.
type kind byte

const (
	hello  kind = 'h' // child: greeting
	job    kind = 'j' // parent: assignment
	read   kind = 'r' // child: offset and length wanted, 8 bytes each
	data   kind = 'd' // parent: those bytes, fewer at the end of the container
	member kind = 'm' // child: entry
	body   kind = 'b' // child: some bytes of the member's body
	end    kind = 'e' // child: end of the body; the error it ended with, if any
	done   kind = 'z' // child: outcome; waits for the next job
)

// maxFrame bounds a frame, in bytes. The longest is a member with many long names.
const maxFrame = 1 << 20

// pieceSize is how much of a body or of the container goes into one frame.
const pieceSize = 1 << 16

// greeting is what a child says when it is ready.
type greeting struct {
	Unconfined []string // what the kernel could not take away from it
}

// assignment is one container to be read.
type assignment struct {
	Format    string
	Size      int64
	Limits    archive.Limits
	Passwords [][]byte
	Words     [][]byte // of the message, that may be passwords
	Earlier   [][]byte // likewise of messages before it
	Work, CPU int64    // that are left, in nanoseconds
	Most      int64    // CPU for all containers of a message, in nanoseconds
}

// entry is a member; names are bytes, which JSON strings are not.
type entry struct {
	Names     [][]byte
	Size      int64
	Encrypted bool
	Hidden    bool
	Link      bool
	Body      bool // a body follows
}

// outcome is how a walk ended.
type outcome struct {
	Notes    []note
	Limit    bool  // the budget was used up
	Expanded int64 // bytes unpacked in all, also for nothing
	Work     int64 // done, in nanoseconds
	Over     bool  // that was more than was allowed
	Retire   bool  // the child has grown large and will read no more
}

type note struct {
	Code   string
	Class  archive.Class
	Member int
	Detail []byte
}

var errFrame = errors.New("not a frame")

// channel carries frames one way and the other.
type channel struct {
	in   *bufio.Reader
	out  *bufio.Writer
	head [headSize]byte // of the frame that is sent
}

// headSize is the bytes of a frame before its payload.
const headSize = 5

func newChannel(in io.Reader, out io.Writer) *channel {
	return &channel{in: bufio.NewReaderSize(in, pieceSize+64), out: bufio.NewWriterSize(out, pieceSize+64)}
}

func (c *channel) send(k kind, payload []byte) error {
	putHead(c.head[:], k, len(payload))
	c.out.Write(c.head[:])
	_, err := c.out.Write(payload)
	return err
}

// sendPiece sends n bytes, at most pieceSize, which read puts where they wait to be
// sent: pieces are many, and are not to be copied once more.
func (c *channel) sendPiece(n int, read func([]byte) error) error {
	if c.out.Available() < headSize+n {
		if err := c.out.Flush(); err != nil {
			return err
		}
	}
	frame := c.out.AvailableBuffer()[:headSize+n]
	putHead(frame, data, n)
	if err := read(frame[headSize:]); err != nil {
		return err
	}
	_, err := c.out.Write(frame)
	return err
}

// putHead writes the head of a frame.
func putHead(b []byte, k kind, n int) {
	b[0] = byte(k)
	binary.LittleEndian.PutUint32(b[1:], uint32(n))
}

// sendValue sends v as JSON.
func (c *channel) sendValue(k kind, v any) error {
	payload, err := json.Marshal(v)
	if err == nil && len(payload) > maxFrame {
		err = fmt.Errorf("%w: %d bytes", errFrame, len(payload))
	}
	if err != nil {
		return err
	}
	return c.send(k, payload)
}

// next reads the head of the next frame, after sending what waits to be sent.
func (c *channel) next() (kind, int, error) {
	if err := c.out.Flush(); err != nil {
		return 0, 0, err
	}
	head, err := c.peek(headSize)
	if err != nil {
		return 0, 0, err
	}
	n := binary.LittleEndian.Uint32(head[1:])
	if n > maxFrame {
		return 0, 0, fmt.Errorf("%w: %d bytes", errFrame, n)
	}
	return kind(head[0]), int(n), nil
}

// peek reads n bytes, which are good until more is read. Those of most frames are shown
// in the buffer of the channel.
func (c *channel) peek(n int) ([]byte, error) {
	if n > c.in.Size() {
		b := make([]byte, n)
		_, err := io.ReadFull(c.in, b)
		return b, err
	}
	b, err := c.in.Peek(n)
	switch {
	case err == io.EOF && len(b) > 0:
		return nil, io.ErrUnexpectedEOF
	case err != nil:
		return nil, err
	}
	c.in.Discard(n) // which leaves them where they are
	return b, nil
}

// value reads the n bytes of a frame into v.
func (c *channel) value(n int, v any) error {
	b, err := c.peek(n)
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	return err
}
