package markup

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// Span is a range of bytes of a source: from Start up to, not including, End.
type Span struct{ Start, End int64 }

// Len returns the number of bytes in the span.
func (s Span) Len() int64 { return s.End - s.Start }

// Attr is an attribute of a tag.
type Attr struct {
	Name  string // lower case
	Value string // as a browser reads it: charset decoded, references resolved
	Span  Span   // from the name to the end of the value with its quotes
	At    Span   // the value without its quotes; empty where there is none
}

// manyAttrs is from how many attributes on a map finds names again.
const manyAttrs = 16

// Obeyed returns the attributes of a tag that count: of two of one name the first
// (WHATWG HTML, section 13.2.5.33).
func Obeyed(attrs []Attr) []Attr {
	if len(attrs) < manyAttrs {
		return obeyedOfFew(attrs)
	}
	seen := map[string]bool{}
	kept := attrs[:0:0]
	for _, a := range attrs {
		if !seen[a.Name] {
			seen[a.Name] = true
			kept = append(kept, a)
		}
	}
	return kept
}

// obeyedOfFew does what Obeyed does. Most tags have no name twice: all of theirs count.
func obeyedOfFew(attrs []Attr) []Attr {
	for n := range attrs {
		if !isAmong(attrs[:n], attrs[n].Name) {
			continue
		}
		kept := slices.Clone(attrs[:n])
		for _, a := range attrs[n+1:] {
			if !isAmong(kept, a.Name) {
				kept = append(kept, a)
			}
		}
		return kept
	}
	return attrs
}

func isAmong(attrs []Attr, name string) bool {
	return slices.ContainsFunc(attrs, func(a Attr) bool { return a.Name == name })
}

// attrScanner takes the inside of a tag apart, from after the name, as the
// tokenizer does (WHATWG HTML, sections 13.2.5.32 to 13.2.5.40). The tokenizer
// itself does not say where attributes are.
type attrScanner struct {
	tag   []byte
	at    int
	quote byte // the tag ended inside such quotes
}

// rawAttr is an attribute by its places in the tag.
type rawAttr struct{ name, value, whole Span }

// next reports false at the end of the tag.
func (s *attrScanner) next() (a rawAttr, ok bool) {
	for {
		s.blanks()
		if s.at >= len(s.tag) || s.tag[s.at] == '>' {
			return a, false
		}
		start := s.at
		s.name()
		a.name = Span{int64(start), int64(s.at)}
		a.value = s.value()
		if a.name.Len() == 0 {
			continue // a lone slash
		}
		a.whole = Span{a.name.Start, max(a.name.End, a.value.End)}
		if end := a.value.End; a.value.Start > 0 && end < int64(len(s.tag)) && isQuote(s.tag[a.value.Start-1]) &&
			s.tag[end] == s.tag[a.value.Start-1] {
			a.whole.End++
		}
		return a, true
	}
}

func isQuote(c byte) bool { return c == '"' || c == '\'' }

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' }

func (s *attrScanner) blanks() {
	for s.at < len(s.tag) && isSpace(s.tag[s.at]) {
		s.at++
	}
}

// name reads up to what ends a name; an equals sign may begin one.
func (s *attrScanner) name() {
	for start := s.at; s.at < len(s.tag); s.at++ {
		switch c := s.tag[s.at]; {
		case c == '=' && s.at == start:
		case c == '=', c == '/', c == '>', isSpace(c):
			return
		}
	}
}

// value reads the value after a name, if there is one.
func (s *attrScanner) value() Span {
	none := Span{int64(s.at), int64(s.at)}
	s.blanks()
	if s.at >= len(s.tag) {
		return none
	}
	if s.tag[s.at] != '=' {
		if s.tag[s.at] == '/' {
			s.at++
		}
		return none
	}
	s.at++
	s.blanks()
	switch {
	case s.at >= len(s.tag), s.tag[s.at] == '>':
		return none
	case isQuote(s.tag[s.at]):
		return s.quoted(s.tag[s.at])
	}
	start := s.at
	for s.at < len(s.tag) && s.tag[s.at] != '>' && !isSpace(s.tag[s.at]) {
		s.at++
	}
	return Span{int64(start), int64(s.at)}
}

// quoted reads a value up to its closing quote, which it skips.
func (s *attrScanner) quoted(quote byte) Span {
	s.at++
	start := s.at
	n := bytes.IndexByte(s.tag[start:], quote)
	if n < 0 {
		s.quote, s.at = quote, len(s.tag)
		return Span{int64(start), int64(s.at)}
	}
	s.at = start + n + 1
	return Span{int64(start), int64(start + n)}
}

// unescapeValue resolves character references as in attribute values, where a
// name without semicolon counts only if nothing that looks like a query goes on
// after it: "?a=1&copy=2" stays (WHATWG HTML, section 13.2.5.73).
func unescapeValue(s string) string {
	amp := strings.IndexByte(s, '&')
	if amp < 0 {
		return s
	}
	var b strings.Builder
	for ; amp >= 0; amp = strings.IndexByte(s, '&') {
		b.WriteString(s[:amp])
		n := reference(s[amp:])
		b.WriteString(unescapeOne(s[amp:amp+n], s[amp+n:]))
		s = s[amp+n:]
	}
	b.WriteString(s)
	return b.String()
}

// reference returns the length of what may be a reference at the beginning of s.
func reference(s string) int {
	n := 1
	if strings.HasPrefix(s[n:], "#") {
		n++
	}
	for n < len(s) && isAlphanumeric(s[n]) {
		n++
	}
	if n < len(s) && s[n] == ';' {
		n++
	}
	return n
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// unescapeOne resolves one reference, if it is one in an attribute.
func unescapeOne(ref, behind string) string {
	text := html.UnescapeString(ref)
	switch {
	case strings.HasPrefix(ref, "&#"):
		return text
	case strings.HasSuffix(ref, ";"):
		if strings.HasSuffix(text, ";") && text != ";" {
			return ref
		}
	case strings.HasPrefix(behind, "="), utf8.RuneCountInString(text) != 1:
		return ref
	}
	return text
}
