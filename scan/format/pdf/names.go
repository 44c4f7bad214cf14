package pdf

import (
	"bytes"
	"io"

	"github.com/milterscan/milterscan/scan/scratch"
)

// escaped is how long one character of a name is at most: "#41" for "A".
const escaped = 3

// MayName reports whether a name of letters may stand in a document outside of what is packed: not one that only
// begins like it. It takes a name in a string or in packed data for one, too, and what it cannot read for all names.
func MayName(c Content, name string) bool {
	n := newNaming(name)
	overlap := len("/") + escaped*len(name) + 1
	err := scratch.Windows(c, 0, overlap, func(b []byte, off int64) error {
		if n.isIn(b, off+int64(len(b)) == c.Size()) {
			return io.EOF
		}
		return nil
	})
	return err != nil
}

// naming looks for one name.
type naming struct {
	name  string
	plain []byte // as it is mostly written
}

func newNaming(name string) *naming { return &naming{name: name, plain: []byte("/" + name)} }

// isIn reports whether the name is in a window.
func (n *naming) isIn(b []byte, last bool) bool {
	for from := 0; ; from++ {
		i := bytes.Index(b[from:], n.plain)
		if i < 0 {
			return n.isEscapedIn(b, last)
		}
		if from += i; n.begins(b[from+1:], last) {
			return true
		}
	}
}

// isEscapedIn reports whether the name is in a window with a character in it that is escaped.
func (n *naming) isEscapedIn(b []byte, last bool) bool {
	for at := 0; ; at++ {
		i := bytes.IndexByte(b[at:], '#')
		if i < 0 {
			return false
		}
		at += i
		if at+2 >= len(b) || !hasDigits(b[at+1:]) {
			continue
		}
		reach := b[max(0, at-escaped*len(n.name)):at]
		if slash := bytes.LastIndexByte(reach, '/'); slash >= 0 && n.begins(b[at-len(reach)+slash+1:], last) {
			return true
		}
	}
}

// hasDigits reports whether b begins with the code of a character.
func hasDigits(b []byte) bool {
	_, high := digit(b[0])
	_, low := digit(b[1])
	return high && low
}

// begins reports whether b begins with the name and what may end one. Unless it is the last, the next window shows
// again what is cut off in this one.
func (n *naming) begins(b []byte, last bool) bool {
	for _, c := range []byte(n.name) {
		switch {
		case len(b) > 0 && b[0] == c:
			b = b[1:]
		case len(b) > 2 && b[0] == '#' && hasDigits(b[1:]) && unescaped(bytes.Clone(b[:escaped]))[0] == c:
			b = b[escaped:]
		default:
			return false
		}
	}
	if len(b) == 0 {
		return last
	}
	return classes[b[0]] != regular
}
