package archive

import (
	"io"
)

// olePackage is a file that was put into a document: what the packager of OLE
// writes, as the stream "\1Ole10Native" or as the data of an object in RTF.
type olePackage struct {
	names []string // as shown, and the last elements of the paths it came from
	data  int64    // where the file begins
	size  int64
}

// packageHead is how much may be before the data of a package, in bytes.
const packageHead = 8 << 10

// readPackage reads the description of a package at off, after the size that a
// stream has before it. Where the names are follows from nothing but their ends.
func readPackage(c Content, off int64) (olePackage, bool) {
	b := piece(c, off, packageHead)
	whole := len(b)
	if len(b) < 2 || b[1] != 0 {
		return olePackage{}, false
	}
	label, b, ok := cstring(b[2:])
	source, b, more := cstring(b)
	if !ok || !more || len(b) < 8 || label == "" && source == "" || !printableName(label) || !printableName(source) {
		return olePackage{}, false
	}
	// Two numbers, the second of which says whether the file is embedded, and the
	// length of the third name.
	temporary, rest := "", b[8:]
	if n := int64(le32(b[4:])); n > 0 && n < int64(len(rest)) {
		temporary, _, _ = cstring(rest[:n])
		rest = rest[n:]
	} else if temporary, rest, ok = cstring(rest); !ok {
		return olePackage{}, false
	}
	if len(rest) < 4 {
		return olePackage{}, false
	}
	p := olePackage{
		names: distinct(lastName(label), lastName(source), lastName(temporary)),
		data:  off + int64(whole-len(rest)) + 4, size: int64(le32(rest)),
	}
	p.names = distinct(append(p.names, wideNames(c, p.data+p.size)...)...)
	return p, true
}

// wideNames returns the three names in Unicode that may follow the data.
func wideNames(c Content, off int64) []string {
	var names []string
	b := piece(c, off, packageHead)
	for range 3 {
		if len(b) < 4 || int64(le32(b)) > int64(len(b)-4)/2 {
			break
		}
		n := 4 + 2*int64(le32(b))
		names = append(names, lastName(wideText(b[4:n])))
		b = b[n:]
	}
	return names
}

// printableName reports whether s may be a name in some character set.
func printableName(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' {
			return false
		}
	}
	return len(s) <= 1024
}

// unwrap hands over what a package holds.
func (w *walk) unwrap(c Content, p olePackage) error {
	return w.member(Member{Names: p.names, Size: p.size}, stretch(c, p.data, p.size))
}

// native hands over an object that is no package, without the size before it.
func (w *walk) native(m Member, src io.Reader) error {
	io.CopyN(io.Discard, src, 4)
	m.Size = max(0, m.Size-4)
	return w.member(m, src)
}
