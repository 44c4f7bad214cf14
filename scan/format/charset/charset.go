// Package charset turns text in the charsets of the world's mail into UTF-8.
// It is as lenient as mail clients are: what cannot be decoded becomes U+FFFD
// and never an error, so that the text around it is still seen.
package charset

import (
	"bufio"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode/utf32"
	"golang.org/x/text/transform"
)

// longestLabel bounds the labels that are looked up; no charset has a name this long.
const longestLabel = 64

// Decode returns b, which is text in the charset of that label, as UTF-8. It
// reports false, and no text, for an unknown label. Labels are those
// of the WHATWG Encoding Standard, which browsers and mail clients follow, then
// the aliases of the IANA registry, and a few that only mail uses, such as
// UTF-7.
func Decode(label string, b []byte) (string, bool) {
	if strings.EqualFold(label, "utf-8") && utf8.Valid(b) {
		return string(b), true
	}
	d := decoder(label, b)
	if d == nil {
		return "", false
	}
	// The decoders replace instead of failing; what an error could leave out
	// is at most an unfinished character at the end.
	text, _, _ := transform.Bytes(d, b)
	return string(text), true
}

// NewReader returns a reader of r's text as UTF-8. It reports false for a
// label that is not known, and has read nothing then. It may hold a few KB of r.
func NewReader(label string, r io.Reader) (io.Reader, bool) {
	if isUTF16(canonical(label)) {
		return &utf16Reader{src: r}, true
	}
	var head []byte
	if canonical(label) == "utf-32" {
		ahead := bufio.NewReader(r)
		head, _ = ahead.Peek(longestMark)
		r = ahead
	}
	d := decoder(label, head)
	if d == nil {
		return nil, false
	}
	return transform.NewReader(r, d), true
}

// Known reports whether the label names a charset this package can decode.
func Known(label string) bool { return decoder(label, nil) != nil }

// decoder returns nil for an unknown label. The head of the text settles the
// byte order of UTF-16 and UTF-32 where the label leaves it open.
func decoder(label string, head []byte) transform.Transformer {
	name := canonical(label)
	switch {
	case name == "utf-7":
		return new(utf7)
	case isUTF16(name):
		return utf16For(head).NewDecoder()
	case name == "utf-32" && len(head) > 1 && head[0] > 0 && head[1] == 0: // the first character is ASCII
		name = "utf-32le"
	}
	if p := ebcdicPage(name); p != nil {
		return p.NewDecoder()
	}
	e := lookup(name)
	if e == nil {
		return nil
	}
	return e.NewDecoder()
}

// onlyMail are labels seen in mail that neither list of names has.
var onlyMail = map[string]string{
	"unicode-1-1-utf-7":   "utf-7",
	"csutf7":              "utf-7",
	"x-utf-7":             "utf-7",
	"x-unicode-2-0-utf-7": "utf-7",
	"utf7":                "utf-7",
	"utf16":               "utf-16",
	"unicode":             "utf-16",
	"iso-10646-ucs-2":     "utf-16",
	"ucs-2":               "utf-16",
	"csunicode":           "utf-16",
	"csunicode11":         "utf-16",
	"unicode-1-1":         "utf-16",
	"iso-10646":           "utf-16",
	"utf32":               "utf-32",
	"utf32le":             "utf-32le",
	"utf32be":             "utf-32be",
	"ucs-4":               "utf-32",
	"ucs-4le":             "utf-32le",
	"ucs-4be":             "utf-32be",
	"iso-10646-ucs-4":     "utf-32",
	"csucs4":              "utf-32",
	"cp037":               "ibm037",
	"cp1047":              "ibm1047",
	"ibm-1047":            "ibm1047",
	"cp1140":              "ibm01140",
	"ibm1140":             "ibm01140",
	"ibm-1140":            "ibm01140",
	"utf16le":             "utf-16le",
	"utf16be":             "utf-16be",
	"ascii8":              "windows-1252",
	"8bit":                "windows-1252",
	"ansi":                "windows-1252",
	"ms-ansi":             "windows-1252",
	"default":             "windows-1252",
	"unknown-8bit":        "windows-1252",
	"x-unknown":           "windows-1252",
	"cp932":               "shift_jis",
	"cp936":               "gbk",
	"ms936":               "gbk",
	"cp949":               "euc-kr",
	"ms949":               "euc-kr",
	"cp950":               "big5",
	"iso-2022-jp-1":       "iso-2022-jp",
	"iso-2022-jp-2":       "iso-2022-jp",
	"iso-2022-jp-ms":      "iso-2022-jp",
	"cp50220":             "iso-2022-jp",
	"hz":                  "hz-gb-2312",
}

// Mark returns the charset that the byte order mark of a text names, or else its first
// "<", and the length of the mark: "" and 0 where nothing tells. UTF-32's begins as UTF-16's does; no text
// begins with the NUL that would be after it.
func Mark(head []byte) (label string, length int) {
	for _, m := range marks {
		if strings.HasPrefix(string(head[:min(len(head), longestMark)]), m.bytes) {
			return m.label, len(m.bytes)
		}
	}
	return unmarked(head), 0
}

// unmarked returns the charset of a text that begins with "<" and no byte order mark,
// if a character takes several bytes in it (XML 1.0, appendix F.1): programs see what
// it is without being told.
func unmarked(head []byte) string {
	if len(head) < longestMark {
		return ""
	}
	switch a, b, c, d := head[0], head[1], head[2], head[3]; {
	case a == '<' && b == 0 && c == 0 && d == 0:
		return "utf-32le"
	case a == 0 && b == 0 && c == 0 && d == '<':
		return "utf-32be"
	case a == '<' && b == 0 && c > ' ' && d == 0:
		return "utf-16le"
	case a == 0 && b == '<' && c == 0 && d > ' ':
		return "utf-16be"
	}
	return ""
}

const longestMark = 4

var marks = []struct{ bytes, label string }{
	{"\xef\xbb\xbf", "utf-8"},
	{"\xff\xfe\x00\x00", "utf-32"},
	{"\x00\x00\xfe\xff", "utf-32"},
	{"\xff\xfe", "utf-16"},
	{"\xfe\xff", "utf-16"},
}

// canonical returns the label in lower case, without quotes and blanks around it, and
// by the name the lists know.
func canonical(label string) string {
	name := strings.ToLower(strings.Trim(label, " \t\r\n\"'"))
	if to, ok := onlyMail[name]; ok {
		return to
	}
	return name
}

// lookup finds an encoding by WHATWG label, else by IANA name. The standard's
// "replacement" labels count as unknown: they decode to nothing but U+FFFD.
func lookup(name string) encoding.Encoding {
	if name == "" || len(name) > longestLabel {
		return nil
	}
	switch name {
	case "hz-gb-2312":
		return simplifiedchinese.HZGB2312
	case "utf-32", "utf-32be":
		return utf32.UTF32(utf32.BigEndian, utf32.UseBOM)
	case "utf-32le":
		return utf32.UTF32(utf32.LittleEndian, utf32.UseBOM)
	}
	if e, err := htmlindex.Get(name); err == nil && e != encoding.Replacement {
		return e
	}
	if e, err := ianaindex.MIME.Encoding(name); err == nil && e != nil && e != encoding.Replacement {
		return e
	}
	return nil
}

// probe is ASCII text with the marks by which the stateful charsets of mail
// leave ASCII.
const probe = "Plain, 7-bit: <a href=\"x\">~{|}+ADw-&ADw-\\ \x1b$B0!\x1b(B \x0e!\x0f"

// Transparent reports whether ASCII text in this charset is ASCII bytes, and
// every ASCII byte text, so that who searches bytes finds text. An unknown label
// counts as transparent, for want of another way to read it.
func Transparent(label string) bool {
	text, ok := Decode(label, []byte(probe))
	return !ok || text == probe
}
