package archive

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// wide says of the beginning of a text whether it is in UTF-16, which byte of two
// comes first, and how long its byte order mark is.
func wide(head []byte) (order func([]byte) uint16, mark int) {
	big := func(b []byte) uint16 { return uint16(b[0])<<8 | uint16(b[1]) }
	little := func(b []byte) uint16 { return uint16(b[1])<<8 | uint16(b[0]) }
	switch {
	case len(head) < 4:
		return nil, 0
	case hasAny(head, "\xff\xfe"):
		return little, 2
	case hasAny(head, "\xfe\xff"):
		return big, 2
	case head[0] != 0 && head[1] == 0 && head[2] != 0 && head[3] == 0:
		return little, 0
	case head[0] == 0 && head[1] != 0 && head[2] == 0 && head[3] != 0:
		return big, 0
	}
	return nil, 0
}

// narrowed returns the beginning of a text in UTF-8, also of one in UTF-16.
func narrowed(head []byte) []byte {
	order, mark := wide(head)
	if order == nil {
		return bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	}
	return appendNarrow(nil, head[mark:], order)
}

func appendNarrow(dst, b []byte, order func([]byte) uint16) []byte {
	for ; len(b) >= 2; b = b[2:] {
		r := rune(order(b))
		if utf16.IsSurrogate(r) && len(b) >= 4 {
			if both := utf16.DecodeRune(r, rune(order(b[2:]))); both != utf8.RuneError {
				r, b = both, b[2:]
			}
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// plain returns the container as a text in UTF-8. One in UTF-16 is rewritten in memory
// and charged, as much of it as an object may have.
func (w *walk) plain() (Content, error) {
	order, mark := wide(piece(w.c, 0, HeadSize))
	if order == nil {
		return w.c, nil
	}
	in := stretch(w.c, int64(mark), w.c.Size()-int64(mark))
	var left []byte
	narrow := &stepped{step: func(dst []byte) ([]byte, error) {
		b := append(left, make([]byte, steppedRoom)...)
		n, err := in.Read(b[len(left):])
		b = b[:len(left)+n]
		whole := len(b) - len(b)%4 // never between the halves of a pair that begins at an even place
		if err != nil {
			whole = len(b)
		}
		dst = appendNarrow(dst, b[:whole], order)
		left = bytes.Clone(b[whole:])
		return dst, err
	}}
	b, err := w.hold(narrow)
	return bytes.NewReader(b), err
}

// hasFold reports whether b begins with mark, upper and lower case alike.
func hasFold(b []byte, mark string) bool {
	return len(b) >= len(mark) && bytes.EqualFold(b[:len(mark)], []byte(mark))
}
