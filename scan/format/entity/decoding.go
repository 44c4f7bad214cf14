package entity

import (
	"bytes"
	"io"
	"sync"

	"github.com/milterscan/milterscan/scan/scratch"
)

const (
	lineBuffer   = 32 << 10 // a longer line is decoded in fragments of this size
	outputBuffer = 32 << 10 // decoded bytes are written when this much is there
	usualLine    = 80       // most lines are no longer, with their line ends
)

// decoding undoes one encoding of a body that is written to it, in pieces of any size, which make no difference. It
// keeps little between them.
type decoding struct {
	decoder
	*ledger
	dst  io.Writer
	held []byte // the beginning of a line whose end has not come yet
	room [usualLine]byte
}

// newDecoding returns a decoding that writes to dst; nil for an encoding that is not known.
func newDecoding(dst io.Writer, enc Encoding) *decoding {
	l := new(ledger)
	d := &decoding{decoder: newDecoder(enc, l), ledger: l, dst: dst}
	if d.decoder == nil {
		return nil
	}
	d.held = d.room[:0]
	return d
}

// outputs holds buffers for what is decoded, which no decoding uses at present.
var outputs = sync.Pool{New: func() any { return new([outputBuffer + 2*lineBuffer]byte) }}

// Write decodes the next bytes and writes what they yield, up to the last line end at least.
func (d *decoding) Write(b []byte) (int, error) {
	buf := outputs.Get().(*[outputBuffer + 2*lineBuffer]byte)
	defer outputs.Put(buf)
	out := buf[:0]
	for done := 0; done < len(b); {
		var n int
		out, n = d.next(out, b[done:min(len(b), done+lineBuffer)])
		if done += n; len(out) >= outputBuffer || done == len(b) && len(out) > 0 {
			if _, err := d.dst.Write(out); err != nil {
				return done, err
			}
			out = buf[:0]
		}
	}
	return len(b), nil
}

// next decodes from the start of src as many lines as can be taken at once, or what src has of one, and returns how
// much that is.
func (d *decoding) next(out, src []byte) ([]byte, int) {
	if blocks, ok := d.decoder.(blockDecoder); ok && len(d.held) == 0 {
		if more, used := blocks.block(out, src); used > 0 {
			d.offset += int64(used)
			return more, used
		}
	}
	n := bytes.IndexByte(src, '\n') + 1
	if n == 0 {
		n = len(src)
	}
	n = min(n, lineBuffer-len(d.held))
	line := src[:n]
	if over := line[n-1] == '\n' || len(d.held)+n == lineBuffer; len(d.held) > 0 || !over {
		d.held = append(d.held, line...)
		if line = d.held; !over {
			return out, n
		}
	}
	return d.take(out, line), n
}

// take decodes a line, or a fragment of one.
func (d *decoding) take(out, line []byte) []byte {
	out = d.line(out, line)
	d.offset += int64(len(line))
	d.held = d.held[:0]
	return out
}

// close ends the body and writes the rest.
func (d *decoding) close() error {
	var out []byte
	if len(d.held) > 0 {
		out = d.take(nil, d.held)
	}
	_, err := d.dst.Write(d.end(out))
	return err
}

// readFrom decodes all of src, up to an error of it, and ends the body.
func (d *decoding) readFrom(src io.Reader) error {
	buf := scratch.Lend()
	defer buf.Return()
	for {
		n, readErr := src.Read(buf[:])
		if _, err := d.Write(buf[:n]); err != nil {
			return err
		}
		if readErr == nil {
			continue
		}
		if err := d.close(); err != nil || readErr == io.EOF {
			return err
		}
		return readErr
	}
}
