package edit

import (
	"mime"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/milterscan/milterscan/scan/format/entity"
)

// foldedLine is how long a line of a header should be (RFC 5322, section 2.1.1).
const foldedLine = 76

// parameter is a parameter of a content field.
type parameter struct{ name, value string }

// parametersOf returns the parameters of an entity's Content-Type but for the ones
// named. Where the field is damaged they are what this package knows of it.
func parametersOf(e *entity.Entity, but ...string) []parameter {
	var list []parameter
	if values := e.Header.Values("Content-Type"); len(values) > 0 {
		if _, params, err := mime.ParseMediaType(values[0]); err == nil {
			for name, value := range params {
				list = append(list, parameter{name, value})
			}
		}
	}
	if list == nil && e.Charset != "" {
		list = []parameter{{"charset", e.Charset}}
	}
	slices.SortFunc(list, func(a, b parameter) int { return strings.Compare(a.name, b.name) })
	return slices.DeleteFunc(list, func(p parameter) bool { return slices.Contains(but, p.name) })
}

// contentType returns the value of a Content-Type. A name is written as an encoded word,
// which is what clients look for there, and as RFC 2231 has it only where it is too
// long for one.
func contentType(mediaType string, params []parameter, names ...string) string {
	pieces := []string{mediaType}
	for _, p := range params {
		pieces = append(pieces, formatParameter(p)...)
	}
	for _, n := range names {
		if word := encodeWords(n); len(word) <= longestWord {
			pieces = append(pieces, "name="+quote(word))
		} else {
			pieces = append(pieces, extended(parameter{"name", n})...)
		}
	}
	return fold("Content-Type", pieces)
}

// disposition returns the value of a Content-Disposition.
func disposition(kind string, names ...string) string {
	pieces := []string{kind}
	for _, n := range names {
		pieces = append(pieces, formatParameter(parameter{"filename", n})...)
	}
	return fold("Content-Disposition", pieces)
}

// formatParameter writes a parameter, in sections of RFC 2231 where it is not
// ASCII or too long for a line.
func formatParameter(p parameter) []string {
	if isPrintable(p.value) && len(p.name)+len(p.value) < foldedLine-10 {
		return []string{p.name + "=" + quote(p.value)}
	}
	return extended(p)
}

// sectionLength is how much of a value goes into one section.
const sectionLength = 50

// extended returns a parameter as RFC 2231 has it, in as many sections as it takes.
func extended(p parameter) []string {
	var sections []string
	section := "utf-8''"
	for _, r := range strings.ToValidUTF8(p.value, "\ufffd") {
		var char string
		for _, c := range []byte(string(r)) {
			char += percent(c)
		}
		if len(section)+len(char) > sectionLength {
			sections, section = append(sections, section), ""
		}
		section += char
	}
	if len(sections) == 0 {
		return []string{p.name + "*=" + section}
	}
	sections = append(sections, section)
	for i, s := range sections {
		sections[i] = p.name + "*" + strconv.Itoa(i) + "*=" + s
	}
	return sections
}

// percent returns a byte as RFC 2231 writes it: attribute characters as they are.
func percent(c byte) string {
	if c > ' ' && c < 0x7f && !strings.ContainsRune(`*'%()<>@,;:\"/[]?=`, rune(c)) {
		return string(rune(c))
	}
	return "%" + string(hexDigits[c>>4]) + string(hexDigits[c&15])
}

// quote writes a value as a token if it is one, else in quotes (RFC 2045,
// section 5.1).
func quote(s string) string {
	if s != "" && !strings.ContainsAny(s, " ()<>@,;:\\\"/[]?=") && isPrintable(s) {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// isPrintable reports whether a text is printable ASCII.
func isPrintable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// fold puts pieces after each other, with semicolons between, in lines of a
// proper length.
func fold(name string, pieces []string) string {
	var b strings.Builder
	column := len(name) + len(": ")
	for i, p := range pieces {
		if i > 0 {
			b.WriteByte(';')
			if column+len(p)+2 > foldedLine {
				b.WriteString("\r\n")
				column = 0
			}
			b.WriteByte(' ')
			column += 2
		}
		b.WriteString(p)
		column += len(p)
	}
	return b.String()
}

// longestWord is the longest encoded word (RFC 2047, section 2).
const longestWord = 75

// encodeWords writes a text as it may be in a header: as it is if it is
// printable ASCII that cannot be taken for an encoded word, else in encoded words,
// a fold between them.
func encodeWords(s string) string {
	if isPrintable(s) && !strings.Contains(s, "=?") {
		return s
	}
	const open, end = "=?utf-8?B?", "?="
	const room = (longestWord - len(open) - len(end)) / 4 * 3
	s = strings.ToValidUTF8(s, "\ufffd")
	var words []string
	for len(s) > 0 {
		n := min(room, len(s))
		for n < len(s) && !utf8.RuneStart(s[n]) {
			n--
		}
		words = append(words, mime.BEncoding.Encode("utf-8", s[:n]))
		s = s[n:]
	}
	return strings.Join(words, "\r\n ")
}
