package texts

import (
	"bytes"
	"io"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/scratch"
)

// readCalendar reads a calendar, whose lines are folded (RFC 5545, section 3.1).
// Links have no place in the original then.
func readCalendar(s markup.Source, l markup.Limits) (*markup.Page, error) {
	return markup.ReadText(s.Filter(func(r io.Reader) io.Reader { return &unfolder{src: r} }), l)
}

// unfolder joins lines that go on in the next one, and undoes escaped commas,
// semicolons and line ends (RFC 5545, section 3.3.11).
type unfolder struct {
	src  io.Reader
	held []byte // read and not decided
	done bool
}

// Read never returns more than it read.
func (u *unfolder) Read(p []byte) (int, error) {
	const ahead = 3 // CR, LF and a blank
	for !u.done && len(u.held) < max(len(p), ahead) {
		block := make([]byte, max(len(p), 4<<10))
		n, err := u.src.Read(block)
		u.held = append(u.held, block[:n]...)
		if err == io.EOF {
			u.done = true
		} else if err != nil {
			return 0, err
		}
	}
	n := 0
	for n < len(p) && len(u.held) > 0 && (u.done || len(u.held) >= ahead) {
		skip, out := unfold(u.held)
		u.held = u.held[skip:]
		if out != 0 {
			p[n] = out
			n++
		}
	}
	if n == 0 && u.done && len(u.held) == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// unfold returns how many bytes to skip, and the byte that replaces them; 0 for none.
func unfold(b []byte) (skip int, out byte) {
	switch {
	case bytes.HasPrefix(b, []byte("\r\n ")), bytes.HasPrefix(b, []byte("\r\n\t")):
		return 3, 0
	case bytes.HasPrefix(b, []byte("\n ")), bytes.HasPrefix(b, []byte("\n\t")):
		return 2, 0
	case bytes.HasPrefix(b, []byte("\\n")), bytes.HasPrefix(b, []byte("\\N")):
		return 2, '\n'
	case b[0] == '\\' && len(b) > 1 && bytes.IndexByte([]byte(",;\\"), b[1]) >= 0:
		return 2, b[1]
	}
	return 1, b[0]
}

// longestURI bounds an address in a PDF.
const longestURI = 4096

// uriKey is before the address of a link in a PDF.
var uriKey = []byte("/URI")

// readPDF finds the addresses of links in a PDF (ISO 32000-1, section 12.6.4.7)
// that are in no compressed stream, as most producers write them.
func readPDF(c scan.Content, l markup.Limits) (*markup.Page, error) {
	page := &markup.Page{}
	buf := scratch.Lend()
	defer buf.Return()
	for at := int64(0); ; {
		n, err := c.ReadAt(buf[:min(int64(len(buf)), c.Size()-at)], at)
		if err != nil && err != io.EOF {
			return nil, err
		}
		if at+int64(n) >= c.Size() || n <= longestURI {
			findURIs(page, l, buf[:n], n, at)
			return page, nil
		}
		findURIs(page, l, buf[:n], n-longestURI, at)
		at += int64(n - longestURI - len(uriKey) + 1)
	}
}

// findURIs adds the addresses whose key ends before an end.
func findURIs(p *markup.Page, l markup.Limits, block []byte, end int, at int64) {
	for i := 0; ; {
		j := bytes.Index(block[i:end], uriKey)
		if j < 0 {
			return
		}
		i += j + len(uriKey)
		if from, uri := pdfString(block[i:]); uri != "" {
			addURI(p, l, uri, at+int64(i+from))
		}
	}
}

func addURI(p *markup.Page, l markup.Limits, uri string, at int64) {
	if len(p.Links) >= l.Links {
		p.Cut = true
		return
	}
	span := markup.Span{Start: at, End: at + int64(len(uri))}
	p.Links = append(p.Links, markup.Link{Href: uri, Target: uri, Where: markup.InFile, Tag: span, Value: span})
}

// pdfString returns the string in brackets that follows, with its escapes undone.
func pdfString(b []byte) (from int, s string) {
	open := bytes.TrimLeft(b[:min(len(b), 16)], " \t\r\n")
	if len(open) == 0 || open[0] != '(' {
		return 0, ""
	}
	from = min(len(b), 16) - len(open) + 1
	var out []byte
	for i, depth := from, 0; i < len(b) && i < longestURI; i++ {
		switch c := b[i]; {
		case c == '\\' && i+1 < len(b):
			i++
			out = append(out, b[i])
		case c == ')' && depth == 0:
			return from, string(out)
		default:
			if c == '(' {
				depth++
			} else if c == ')' {
				depth--
			}
			out = append(out, c)
		}
	}
	return 0, ""
}
