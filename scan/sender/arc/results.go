package arc

import (
	"strings"
)

// Result is what one method found, in the words of RFC 8601, section 2.2.
type Result struct {
	Method     string            // in lower case: "dmarc"
	Value      string            // in lower case: "pass"
	Properties map[string]string // "header.from": the names in lower case
}

// maxResults bounds the results of a field, and the properties of a result.
const maxResults = 100

// ParseResults reads the payload of ARC-Authentication-Results: the name of the
// site, then the results. What cannot be read is left out; so is what comes after it in the
// same result.
func ParseResults(text string) []Result {
	l := lexer{text: text}
	l.skipTo(";") // the site and its version
	var list []Result
	for l.next(";") && len(list) < maxResults {
		if r, ok := l.result(); ok {
			list = append(list, r)
		}
		l.skipTo(";")
	}
	return list
}

// lexer reads the tokens of a structured field (RFC 5322, section 3.2).
type lexer struct {
	text string
	at   int
}

// blank skips blanks and comments.
func (l *lexer) blank() {
	depth := 0
	for ; l.at < len(l.text); l.at++ {
		switch c := l.text[l.at]; {
		case c == '(':
			depth++
		case depth > 0 && c == ')':
			depth--
		case depth > 0 && c == '\\':
			l.at++
		case depth > 0 || isBlank(rune(c)):
		default:
			return
		}
	}
	l.at = min(l.at, len(l.text))
}

// next takes a mark, if it is next.
func (l *lexer) next(mark string) bool {
	l.blank()
	if !strings.HasPrefix(l.text[l.at:], mark) {
		return false
	}
	l.at += len(mark)
	return true
}

// word takes the text up to a blank, a comment or one of the marks; text in quotes as it is.
func (l *lexer) word(marks string) string {
	l.blank()
	var word strings.Builder
	quoted := false
	for ; l.at < len(l.text); l.at++ {
		c := l.text[l.at]
		switch {
		case c == '"':
			quoted = !quoted
			continue
		case quoted && c == '\\' && l.at+1 < len(l.text):
			l.at++
			c = l.text[l.at]
		case !quoted && (isBlank(rune(c)) || c == '(' || strings.IndexByte(marks, c) >= 0):
			return word.String()
		}
		word.WriteByte(c)
	}
	return word.String()
}

// skipTo goes on to a mark, past quotes and comments.
func (l *lexer) skipTo(mark string) {
	for l.blank(); l.at < len(l.text) && l.text[l.at:l.at+1] != mark; l.blank() {
		if at := l.at; l.word(mark) == "" && l.at == at {
			l.at++
		}
	}
}

// result takes a method, its result and properties.
func (l *lexer) result() (Result, bool) {
	r := Result{Method: strings.ToLower(l.word("=/;")), Properties: map[string]string{}}
	if l.next("/") {
		l.word("=;") // the version of the method
	}
	if r.Method == "" || !l.next("=") {
		return Result{}, false
	}
	r.Value = strings.ToLower(l.word(";"))
	for range maxResults {
		name := strings.ToLower(l.word("=;"))
		if name == "" || !l.next("=") {
			break
		}
		value := l.word(";")
		if _, twice := r.Properties[name]; twice {
			return Result{}, false
		}
		r.Properties[name] = value
	}
	return r, r.Value != ""
}

// uncommented returns text without its comments.
func uncommented(text string) string {
	l := lexer{text: text}
	var words []string
	for l.blank(); l.at < len(l.text); l.blank() {
		at := l.at
		if words = append(words, l.word("")); l.at == at {
			break
		}
	}
	return strings.Join(words, " ")
}
