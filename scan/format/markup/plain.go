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
	text := b.source.utf8(piece)
	b.page.Letters += letters(text)
	b.text.add(text)
	b.drawn.add(text)
	for i := 0; i < len(piece); {
		n, may := wordEnd(piece[i:])
		if !may {
			i += n + 1 // what ends a word begins none
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

// wordEnd returns the length of the word at the beginning of p, 0 where no word begins, and
// whether it may name a place: in ASCII, one that does has a colon, or a dot before its end.
func wordEnd(p []byte) (n int, may bool) {
	var seen byte
	for n < len(p) && wordKinds[p[n]] != betweenAddresses {
		seen |= wordKinds[p[n]]
		n++
	}
	switch {
	case seen&colon != 0:
		return n, true
	case seen&dot == 0:
		return n, false
	}
	return n, seen&wide != 0 || bytes.IndexByte(p[:n], '.') < n-1
}

// What a byte of a word is, as far as it makes a difference.
const (
	dot = 1 << iota
	colon
	wide
	betweenAddresses
)

// wordKinds says of each byte what it is.
var wordKinds = func() (kinds [256]byte) {
	for c := range kinds {
		switch {
		case c <= ' ', c == '<', c == '>', c == '"':
			kinds[c] = betweenAddresses
		case c == '.':
			kinds[c] = dot
		case c == ':':
			kinds[c] = colon
		case c >= utf8.RuneSelf:
			kinds[c] = wide
		}
	}
	return kinds
}()

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
	span := Span{at, at + int64(len(w))}
	if bytes.ContainsFunc(w, isBlankOrControl) { // in angle brackets, over line ends
		w = bytes.Join(bytes.FieldsFunc(w, isBlankOrControl), nil)
	}
	if href, ok := textLink(b.source.text(w)); ok {
		b.link(Link{Href: href, Text: href, Where: InText, Tag: span, Value: span})
	}
}

func isBlankOrControl(r rune) bool { return r <= ' ' }

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

// wideLetters does what letters does, for text that is not all ASCII.
func wideLetters(s []byte) (n int) {
	for len(s) > 0 {
		r, size := utf8.DecodeRune(s)
		s = s[size:]
		if r > ' ' && r < 0x7f || r > 0xa0 && !unicode.IsSpace(r) && !unicode.Is(unicode.Cf, r) && r != 0x34f && !isBlockGlyph(r) {
			n++
		}
	}
	return n
}
