package entity

import "bytes"

// dots looks for the end of mail as one server sees it and the next does not:
// a line of a single dot of which one end is no CRLF, in a message whose lines
// otherwise end in CRLF. It follows the bytes in chunks of any size.
type dots struct {
	tail  [4]byte // the last bytes before the chunk
	crlf  bool    // the first line of the message ended in CRLF
	told  bool    // it did end
	found bool
}

// feed takes the next bytes.
func (d *dots) feed(b []byte) {
	if !d.told {
		d.firstLine(b)
	}
	if d.told && (d.found || !d.crlf) {
		return
	}
	var seam [2 * len(d.tail)]byte
	n := copy(seam[:], d.tail[:])
	n += copy(seam[n:], b)
	d.look(seam[:n])
	d.look(b)
	n = copy(seam[:], d.tail[:])
	n += copy(seam[n:], b[max(len(b)-len(d.tail), 0):])
	copy(d.tail[:], seam[n-len(d.tail):n])
}

// marked reports whether there was a mark, once all bytes are there.
func (d *dots) marked() bool { return d.found && d.crlf }

// firstLine learns how the first line ends.
func (d *dots) firstLine(b []byte) {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		d.told = true
		d.crlf = i > 0 && b[i-1] == '\r' || i == 0 && d.tail[3] == '\r'
	}
}

// look searches b for a mark. One that b does not hold whole is found by its
// neighbour.
func (d *dots) look(b []byte) {
	for i := 1; i < len(b) && !d.found; i++ {
		dot := bytes.IndexByte(b[i:], '.')
		if dot < 0 {
			return
		}
		i += dot
		if c := b[i-1]; (c == '\n' || c == '\r') && i+1 < len(b) {
			d.found = isMark(b[:i], b[i+1:])
		}
	}
}

// isMark reports whether a dot between before and after is the only character of a
// line with a damaged end.
func isMark(before, after []byte) bool {
	whole := len(before) >= 2 && bytes.HasSuffix(before, []byte("\r\n"))
	bare := len(before) >= 2 && !whole
	switch {
	case after[0] == '\n':
		return bare || whole
	case after[0] != '\r' || len(after) < 2:
		return false
	case after[1] == '\n':
		return bare
	}
	return bare || whole
}
