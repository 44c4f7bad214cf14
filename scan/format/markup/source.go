package markup

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/milterscan/milterscan/scan/format/charset"
)

// headSize is how much of a text is looked at to learn its charset: what
// browsers look at (WHATWG HTML, section 13.2.3.2).
const headSize = 1024

// Source is a text whose charset is known.
type Source struct {
	Charset string // by which it is read; "" for UTF-8 or else windows-1252, whichever fits
	Decoded bool   // spans are of the text in UTF-8: the original does not show ASCII as ASCII

	r     io.Reader
	base  int64         // bytes before r
	again func() Source // returns the source from its beginning; nil where it can be read once
	meter Meter         // nil for none
}

// NewSource opens a text of that size that is declared to be in that charset. As
// in browsers, a byte order mark weighs more than the label, and the label more
// than what the text itself says. A label that cannot be right is ignored.
func NewSource(c io.ReaderAt, size int64, label string) Source {
	head := make([]byte, min(size, headSize))
	n, _ := c.ReadAt(head, 0) // the reader of the source meets the error again
	head = head[:n]
	s := Source{Charset: label, again: func() Source { return NewSource(c, size, label) }}
	marked, length := charset.Mark(head)
	switch {
	case marked == "utf-8":
		s.Charset, s.base = marked, int64(length)
	case marked != "":
		s.Charset = marked
	case !charset.Known(label):
		s.Charset = declared(head)
	}
	s.r = io.NewSectionReader(c, s.base, size-s.base)
	if charset.Transparent(s.Charset) {
		return s
	}
	if text, _ := charset.Decode(s.Charset, head); !readable(text) && readable(string(head)) {
		s.Charset = ""
		return s
	}
	if r, ok := charset.NewReader(s.Charset, s.r); ok {
		s.r, s.Charset, s.Decoded = r, "utf-8", true
	}
	return s
}

// UTF8 returns the text in UTF-8. It takes the place of Reader.
func (s Source) UTF8() io.Reader {
	if !s.Decoded {
		if r, ok := charset.NewReader(s.Charset, s.r); ok {
			return r
		}
	}
	return s.r
}

// Reader returns the text that spans count in. It can be read once, by one
// reader.
func (s Source) Reader() io.Reader { return s.r }

// Filter returns the source with something between it and its reader. Spans are of
// what the filter lets through.
func (s Source) Filter(through func(io.Reader) io.Reader) Source {
	s.r, s.Decoded, s.again = through(s.r), true, nil
	return s
}

// readable reports whether a text shows what texts of interest begin with.
func readable(s string) bool {
	return strings.Contains(s, "<") || strings.Contains(s, "://") || strings.Contains(s, "www.")
}

// declared returns the charset that the head of an HTML text declares, if it is one
// in which the declaration could be read.
func declared(head []byte) string {
	z := html.NewTokenizer(bytes.NewReader(head))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return ""
		case html.StartTagToken, html.SelfClosingTagToken:
			if t := z.Token(); t.Data == "meta" {
				if label := metaCharset(t.Attr); charset.Known(label) && readable(decodedASCII(label)) {
					return label
				}
			}
		}
	}
}

// decodedASCII returns the beginning of a page as the charset reads it.
func decodedASCII(label string) string {
	text, _ := charset.Decode(label, []byte("<meta>"))
	return text
}

func metaCharset(attrs []html.Attribute) string {
	read := false
	for _, a := range attrs {
		switch {
		case a.Key == "charset":
			return a.Val
		case a.Key == "content" && !read: // the first counts
			read = true
			if _, label, ok := strings.Cut(strings.ToLower(a.Val), "charset="); ok {
				label, _, _ = strings.Cut(label, ";")
				return strings.Trim(label, " \"'")
			}
		}
	}
	return ""
}

// text returns b, a piece of the source, as UTF-8.
func (s *Source) text(b []byte) string { return string(s.utf8(b)) }

// utf8 does the same in bytes, which are those of b where these are UTF-8.
func (s *Source) utf8(b []byte) []byte {
	if isASCII(b) {
		return b
	}
	switch s.Charset {
	case "", "utf-8", "us-ascii":
		if utf8.Valid(b) {
			return b
		}
	}
	label := s.Charset
	if label == "" {
		label = "windows-1252"
	}
	if t, ok := charset.Decode(label, b); ok {
		return []byte(t)
	}
	return bytes.ToValidUTF8(b, []byte("\ufffd"))
}
