package pdf

import "io"

// pngLines undoes the filters of PNG (RFC 2083, section 6).
type pngLines struct {
	in    io.Reader
	pixel int    // bytes
	line  []byte // the last one
	raw   []byte // the one that is read, behind the number of its filter
	rest  []byte // of line, not handed out
}

func newPNGLines(in io.Reader, pixel, line int) *pngLines {
	return &pngLines{in: in, pixel: pixel, line: make([]byte, line), raw: make([]byte, 1+line)}
}

func (p *pngLines) Read(out []byte) (int, error) {
	if len(p.rest) == 0 {
		if err := p.next(); err != nil {
			return 0, err
		}
	}
	n := copy(out, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

func (p *pngLines) next() error {
	raw := p.raw
	n, err := io.ReadFull(p.in, raw)
	if n < 2 {
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
