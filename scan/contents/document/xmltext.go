package document

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// local returns a name without its prefix.
func local(name string) string { return name[strings.LastIndexByte(name, ':')+1:] }

// content returns the text before the tag, its entities resolved.
func (x *xmlReader) content() string { return unescape(x.text) }

var entities = map[string]string{"lt": "<", "gt": ">", "amp": "&", "quot": `"`, "apos": "'"}

// unescape resolves the entities of XML and characters by number.
func unescape(b []byte) string {
	if bytes.IndexByte(b, '&') < 0 {
		return string(b)
	}
	var out strings.Builder
	rest := string(b)
	for {
		before, after, found := strings.Cut(rest, "&")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		const longest = 12
		end := strings.IndexByte(after[:min(len(after), longest)], ';')
		if end < 0 {
			out.WriteByte('&')
			rest = after
			continue
		}
		out.WriteString(entityText(after[:end]))
		rest = after[end+1:]
	}
}

// entityText returns the text of an entity; of one that is not known, the reference itself.
func entityText(name string) string {
	if text, ok := entities[name]; ok {
		return text
	}
	digits, number := strings.CutPrefix(name, "#")
	radix := 10
	if hex, ok := strings.CutPrefix(strings.ToLower(digits), "x"); ok {
		digits, radix = hex, 16
	}
	n, err := strconv.ParseUint(digits, radix, 31)
	if !number || err != nil || n > utf8.MaxRune {
		return "&" + name + ";"
	}
	return string(rune(n))
}

// isEnd reports whether an error is the end of the data, which XML may have
// anywhere.
func isEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
