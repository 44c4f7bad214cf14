package attachment

import (
	"slices"
	"strings"
	"unicode"
)

// disguise is a name as Windows or some client takes it.
type disguise struct {
	name string
	cut  bool // something readable was cut off after it
}

// doubtful reports whether a match proves nothing: in "a@example.com; b.pdf" and
// "node.js; b.pdf" the text before the semicolon is no program.
func (d disguise) doubtful(pattern string) bool {
	return d.cut && (pattern == "com" || pattern == "js")
}

// cutters are what a program may end a name at, although it goes on: a zero
// byte, as it is and escaped, the semicolon of old servers, the type of a stream
// of NTFS, a line end.
var cutters = [...]string{"\x00", "%00", ";", "::", "\r", "\n"}

// disguises returns the names that raw may be taken for, without repeats and
// without the one that is there.
func disguises(raw string) []disguise {
	var all []disguise
	add := func(name string, cut bool) {
		name = bareName(name)
		if name != "" && name != raw && !slices.ContainsFunc(all, func(d disguise) bool { return d.name == name }) {
			all = append(all, disguise{name, cut})
		}
	}
	add(raw, false)
	for _, c := range cutters {
		if before, _, found := strings.Cut(raw, c); found {
			add(before, true)
		}
	}
	return all
}

// bareName returns the last component of a name without all that Windows drops from
// it or that cannot be seen, and with dots and blanks of other scripts as the
// common ones.
func bareName(name string) string {
	if !isPlain(name) {
		name = strings.Map(visible, name)
	}
	name = strings.TrimRight(name, `/\`)
	name = lastOf(name)
	name = strings.Trim(name, "\"'`<>")
	return strings.TrimLeft(strings.TrimRight(name, ". "), " ")
}

// isPlain reports whether a name is printable ASCII throughout: each character is what it
// passes for.
func isPlain(name string) bool {
	for i := range len(name) {
		if name[i] < ' ' || name[i] > '~' {
			return false
		}
	}
	return true
}

// lastOf returns what follows the last slash or backslash, as a file name.
func lastOf(name string) string {
	name = afterDrive(name)
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		return name[i+1:]
	}
	return name
}

// afterDrive cuts "C:" off.
func afterDrive(name string) string {
	if len(name) > 2 && name[1] == ':' && unicode.IsLetter(rune(name[0])) {
		return name[2:]
	}
	return name
}

// visible maps a character to the one it passes for, or to none.
func visible(r rune) rune {
	switch {
	case r >= ' ' && r <= '~', r >= '\u3400' && r <= '\u9fff': // and Chinese
		return r
	case r == '\u2024' || r == '\uff0e' || r == '\ufe52' || r == '\u3002' || r == '\uff61':
		return '.'
	case r >= '\uff01' && r <= '\uff5e': // fullwidth forms of ASCII
		return r - 0xfee0
	case isBlankRune(r):
		return ' '
	case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Cc, r), unicode.Is(unicode.Mn, r) && r >= '\ufe00' && r <= '\ufe0f', r == '\u034f':
		return -1
	}
	return r
}

// isBlankRune reports whether a character is seen as nothing but room.
func isBlankRune(r rune) bool {
	return r != '\r' && r != '\n' && unicode.IsSpace(r) || unicode.Is(unicode.Zs, r) ||
		r == '\u2800' || r == '\u3164' || r == '\uffa0' || r == '\u115f'
}

// isBidi reports whether a character turns the direction of writing (Unicode
// Standard Annex 9, section 2): embeddings, overrides and isolates. The mere
// marks are common in right-to-left names.
func isBidi(r rune) bool { return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' }

// isControl reports whether a character is an ASCII control character. Tabs are
// not, since folded headers leave them; neither are those of 8-bit sets, which
// are the remains of letters whose charset is unknown.
func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
