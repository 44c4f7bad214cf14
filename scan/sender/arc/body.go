package arc

import (
	"context"
	"hash"
	"io"
)

// bodyHasher hashes a body in one of the two forms of RFC 6376, section 3.4: as it is
// but for empty lines at its end, or with its blanks relaxed as well.
type bodyHasher struct {
	to      hash.Hash
	relaxed bool

	out    []byte // not hashed yet
	lines  int    // line ends that count only if something comes after them
	blanks bool   // blanks that count likewise, if relaxed
	cr     bool   // the last byte was a CR
	some   bool   // something was hashed
}

// hashBody hashes what r has.
func hashBody(ctx context.Context, h *bodyHasher, r io.Reader) error {
	buf := make([]byte, 32<<10)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.Read(buf)
		h.add(buf[:n])
		if err == io.EOF {
			h.end()
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (h *bodyHasher) add(b []byte) {
	for _, c := range b {
		if h.cr && c != '\n' {
			h.put('\r')
		}
		switch {
		case c == '\n':
			h.lines, h.blanks = h.lines+1, false
		case c == '\r':
		case h.relaxed && (c == ' ' || c == '\t'):
			h.blanks = true
		default:
			h.put(c)
		}
		h.cr = c == '\r'
	}
	h.flush(1)
}

// put adds a byte after the line ends and blanks that are before it.
func (h *bodyHasher) put(c byte) {
	for ; h.lines > 0; h.lines-- {
		h.out = append(h.out, "\r\n"...)
		h.flush(32 << 10)
	}
	if h.blanks {
		h.out, h.blanks = append(h.out, ' '), false
	}
	h.out = append(h.out, c)
	h.some = true
}

// flush hashes what there is, once it is that many bytes.
func (h *bodyHasher) flush(least int) {
	if len(h.out) >= least {
		h.to.Write(h.out)
		h.out = h.out[:0]
	}
}

// end ends the last line. A body of nothing is a line end in the simple form, and
// nothing in the relaxed one.
func (h *bodyHasher) end() {
	if h.cr {
		h.put('\r')
	}
	if h.some || !h.relaxed {
		h.out = append(h.out, "\r\n"...)
	}
	h.flush(1)
}
