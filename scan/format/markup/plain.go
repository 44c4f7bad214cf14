package markup

import (
	"bytes"
	"io"
	"unicode"
	"unicode/utf8"

	"github.com/milterscan/milterscan/scan/scratch"
)

// carry is how much of the end of what was read is put off where no word ends.
const carry = 8 << 10

// ReadText reads plain text: the addresses in it are its links. It fails only if
// the source does.
func ReadText(s Source, l Limits) (*Page, error) {
	b := newBuilder(s, l)
	buf := scratch.Lend()
	defer buf.Return()
	at, held := s.base, 0
	for {
		n, err := io.ReadFull(s.r, buf[held:])
		got := buf[:held+n]
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return nil, err
		}
		end := len(got)
		if err == nil {
			end = lastBlank(got)
		}
		b.plain(got[:end], at)
		if !b.spend(end, pricePlain) || err != nil {
			return b.finish(), nil
		}
		at += int64(end)
		held = copy(buf[:], got[end:])
	}
}

// lastBlank returns where the last blank of the carry is, or the end.
func lastBlank(b []byte) int {
	from := max(0, len(b)-carry)
	if i := bytes.LastIndexAny(b[from:], " \t\r\n"); i > 0 {
		return from + i
	}
	return len(b)
}

// plain looks at a piece of plain text.
func (b *builder) plain(piece []byte, at int64) {
	text := b.source.text(piece)
	b.page.Letters += letters(text)
	b.text.add(text)
	b.drawn.add(text)
	for i := 0; i < len(piece); {
		n := wordEnd(piece[i:])
		if n == 0 {
			i++
			continue
		}
		word := piece[i : i+n]
		if i > 0 && piece[i-1] == '<' {
			word = piece[i : i+wrapped(piece[i:], n)]
		}
		b.word(word, at+int64(i))
		i += len(word)
	}
}

// wordEnd returns the length of the word at the beginning of p, 0 where no word
// begins.
func wordEnd(p []byte) int {
	for i, c := range p {
		if c <= ' ' || c == '<' || c == '>' || c == '"' {
			return i
		}
	}
	return len(p)
}

// longestWrapped bounds an address in angle brackets.
const longestWrapped = 2048

// wrapped returns the length of an address in angle brackets, which may go on over
// line ends (RFC 3986, appendix C).
func wrapped(p []byte, n int) int {
	if !bytes.Contains(p[:n], []byte("://")) {
		return n
	}
	if end := bytes.IndexAny(p[:min(len(p), longestWrapped)], "<>\""); end > 0 && p[end] == '>' {
		return end
	}
	return n
}

// word makes a link of an address.
func (b *builder) word(w []byte, at int64) {
	if bytes.IndexByte(w, '.') < 0 && !bytes.Contains(w, []byte("://")) {
		return
	}
	b.spend(1, priceWord)
	s := b.source.text(bytes.Join(bytes.FieldsFunc(w, func(r rune) bool { return r <= ' ' }), nil))
	if href, ok := textLink(s); ok {
		span := Span{at, at + int64(len(w))}
		b.link(Link{Href: href, Text: href, Where: InText, Tag: span, Value: span})
	}
}

// textLink returns the link that clients make of a word, if they make one.
func textLink(word string) (href string, ok bool) {
	u, how := place(word)
	if how < pathy {
		return "", false
	}
	if href = trimWord(word); u.Scheme == "" {
		href = "http://" + href
	}
	return href, true
}

// isBlockGlyph reports whether a character is one that pictures are drawn with.
func isBlockGlyph(r rune) bool { return r >= 0x2580 && r <= 0x259f || r == 0x2b1b || r == 0x2b1c }

// letters counts what shows in a text: all but blanks, controls and characters
// without width.
func letters(s string) (n int) {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return n + wideLetters(s[i:])
		}
		if s[i]-'!' <= '~'-'!' {
			n++
		}
	}
	return n
}

// wideLetters does what letters does, for text that is not all ASCII.
func wideLetters(s string) (n int) {
	for _, r := range s {
		if r > ' ' && r < 0x7f || r > 0xa0 && !unicode.IsSpace(r) && !unicode.Is(unicode.Cf, r) && r != 0x34f && !isBlockGlyph(r) {
			n++
		}
	}
	return n
}
