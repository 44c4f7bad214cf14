package pdf

import "io"

// pngLines undoes the filters of PNG (RFC 2083, section 6).
type pngLines struct {
	in    io.Reader
	pixel int    // bytes
	line  []byte // the last one
	room  []byte // for lines that are read, each after the number of its filter
	have  []byte // of room, not undone yet
	rest  []byte // of line, not handed out
	err   error
}

// pngRoom is how many bytes are read at once, if a line has no more.
const pngRoom = 4 << 10

func newPNGLines(in io.Reader, pixel, line int) *pngLines {
	return &pngLines{in: in, pixel: pixel, line: make([]byte, line), room: make([]byte, max(pngRoom, 1+line))}
}

// Read fills out as far as there are lines: those of one byte must not cost a call
// each.
func (p *pngLines) Read(out []byte) (int, error) {
	for n := 0; ; {
		more := copy(out[n:], p.rest)
		p.rest = p.rest[more:]
		if n += more; n == len(out) {
			return n, nil
		}
		if p.err == nil {
			p.err = p.next()
		}
		if p.err != nil && n > 0 {
			return n, nil
		}
		if p.err != nil {
			return 0, p.err
		}
	}
}

// more reads lines after those that are there.
func (p *pngLines) more() error {
	n := copy(p.room, p.have)
	more, err := io.ReadFull(p.in, p.room[n:])
	if p.have = p.room[:n+more]; more > 0 {
		return nil // the error comes again
	}
	return err
}

// next undoes one line, the last one as far as it goes.
func (p *pngLines) next() error {
	var err error
	for err == nil && len(p.have) <= len(p.line) {
		err = p.more()
	}
	n := min(len(p.have), 1+len(p.line))
	raw := p.have[:n]
	if p.have = p.have[n:]; n < 2 {
		return err
	}
	var left, corner byte
	for i, c := range raw[1:n] {
		if i >= p.pixel {
			left = p.line[i-p.pixel]
		}
		up := p.line[i]
		switch raw[0] {
		case 1:
			c += left
		case 2:
			c += up
		case 3:
			c += byte((int(left) + int(up)) / 2)
		case 4:
			if i >= p.pixel {
				corner = raw[1+i-p.pixel]
			}
			c += paeth(left, up, corner)
		}
		raw[1+i] = up // kept as the corner of what comes
		p.line[i] = c
	}
	p.rest = p.line[:n-1]
	return nil
}

func paeth(left, up, corner byte) byte {
	distance := func(a byte) int {
		d := int(left) + int(up) - int(corner) - int(a)
		return max(d, -d)
	}
	switch a, b, c := distance(left), distance(up), distance(corner); {
	case a <= b && a <= c:
		return left
	case b <= c:
		return up
	}
	return corner
}
