package archive

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
)

// literal reads a string in parentheses, section 7.3.4.2.
func (p *pdfParser) literal() pdfString {
	var s []byte
	depth := 0
	for ; p.at < len(p.b); p.at++ {
		c := p.b[p.at]
		switch c {
		case '(':
			if depth++; depth == 1 {
				continue
			}
		case ')':
			if depth--; depth == 0 {
				p.at++
				return pdfString(s)
			}
		case '\\':
			s = append(s, p.escape()...)
			continue
		}
		s = append(s, c)
	}
	p.short = true
	return pdfString(s)
}

// escape reads what follows a backslash and stays at its last byte.
func (p *pdfParser) escape() []byte {
	if p.at++; p.at >= len(p.b) {
		return nil
	}
	c := p.b[p.at]
	if i := bytes.IndexByte([]byte("nrtbf"), c); i >= 0 {
		return []byte{"\n\r\t\b\f"[i]}
	}
	if c == '\n' || c == '\r' {
		return nil
	}
	if c < '0' || c > '7' {
		return []byte{c}
	}
	n := int(c - '0')
	for range 2 {
		if p.at+1 < len(p.b) && p.b[p.at+1] >= '0' && p.b[p.at+1] <= '7' {
			p.at++
			n = n<<3 | int(p.b[p.at]-'0')
		}
	}
	return []byte{byte(n)}
}

func (p *pdfParser) hexString() pdfString {
	end := bytes.IndexByte(p.b[p.at:], '>')
	if end < 0 {
		end = len(p.b) - p.at
		p.short = true
	}
	digits := p.b[p.at+1 : p.at+end]
	p.at = min(len(p.b), p.at+end+1)
	return pdfString(unhex(digits))
}

// unhex decodes the digits among b; an odd one at the end counts sixteen times.
func unhex(b []byte) []byte {
	var out []byte
	high, half := byte(0), false
	for _, c := range b {
		d, ok := hexDigit(c)
		switch {
		case !ok:
		case half:
			out, half = append(out, high|d), false
		default:
			high, half = d<<4, true
		}
	}
	if half {
		out = append(out, high)
	}
	return out
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case isDigit(c):
		return c - '0', true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}

// text is a string as people see it: UTF-16 or UTF-8 if it says so, otherwise its
// bytes.
func (s pdfString) text() string {
	b := []byte(s)
	switch {
	case hasAny(b, "\xfe\xff"):
		units := make([]uint16, (len(b)-2)/2)
		for i := range units {
			units[i] = binary.BigEndian.Uint16(b[2+2*i:])
		}
		return string(utf16.Decode(units))
	case hasAny(b, "\xff\xfe"):
		return wideText(b[2:])
	case hasAny(b, "\xef\xbb\xbf"):
		return string(b[3:])
	}
	return string(s)
}
