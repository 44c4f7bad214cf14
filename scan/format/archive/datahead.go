package archive

import (
	"bytes"
	"slices"
	"strings"
)

// head reads the head of an address, with its scheme and its comma. It reads no further
// than what may be one, so that no word before an address hides it; again says that another
// scheme was read where a word had begun. Browsers drop tabs and line ends, and know no bound:
// a head that is too long loses its middle, for its first field has the type, and its last says
// how the data are encoded.
func (s *dataSeeker) head(quote byte, word, drops bool) (head []byte, again bool) {
	head = []byte(dataScheme)
	typed := false
	for n := 0; n < longestHead; n++ {
		c, err := s.next()
		if err != nil || c == '<' || c == '>' || c == quote && !s.text.coded {
			return nil, false
		}
		if s.scheme(c) && word {
			return nil, true
		}
		blank := c <= ' '
		switch {
		case drops && strings.IndexByte("\t\r\n", c) >= 0:
			continue
		case word && blank, !typed && !mayFollow(head[len(dataScheme):], c):
			return nil, false
		case len(head) == dataHead:
			head = slices.Delete(head, dataHead/4, dataHead*3/4)
		}
		head = append(head, c)
		typed = typed || c == ';'
		if c == ',' {
			return head, false
		}
	}
	return nil, false
}

// mayFollow reports whether c may follow in the first field of a head, which is a type or nothing.
func mayFollow(field []byte, c byte) bool {
	switch {
	case c == '"' || c == '\'':
		return false
	case c == ';' || c == ',':
		return isDataHead(field)
	case c > ' ' && len(field) > 0 && field[len(field)-1] <= ' ':
		return len(bytes.TrimSpace(field)) == 0
	}
	return true
}
