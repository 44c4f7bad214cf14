package config

import (
	"fmt"
	"strconv"
	"strings"
)

// The TOML library says what a file means, but not on which line anything is.
// lineScanner goes over a file the library has accepted and notes the line of
// every key, and of every element of an array. It trusts that the file is valid
// and only follows it.
type lineScanner struct {
	text   string
	at     int
	line   int
	table  string         // the path of the table whose keys are being read
	arrays map[string]int // elements so far of each array of tables
	lines  map[string]int // the lines collected so far
}

// keyLines returns the line of everything that has a path: "limits",
// "limits.time", "rule[0].when", "rule[0].when[2]".
func keyLines(text string) map[string]int {
	s := &lineScanner{text: text, line: 1, arrays: map[string]int{}, lines: map[string]int{}}
	for s.skipBlank("\n"); s.at < len(s.text); s.skipBlank("\n") {
		if s.peek() == '[' {
			s.header()
		} else {
			s.pair(s.table)
		}
	}
	return s.lines
}

func (s *lineScanner) peek() byte {
	if s.at >= len(s.text) {
		return 0
	}
	return s.text[s.at]
}

func (s *lineScanner) next() byte {
	c := s.peek()
	if c == '\n' {
		s.line++
	}
	s.at++
	return c
}

// skipBlank skips blanks, comments, and the bytes of also.
func (s *lineScanner) skipBlank(also string) {
	for s.at < len(s.text) {
		switch c := s.peek(); {
		case c == '#':
			for s.at < len(s.text) && s.peek() != '\n' {
				s.at++
			}
		case c == ' ', c == '\t', c == '\r', strings.IndexByte(also, c) >= 0:
			s.next()
		default:
			return
		}
	}
}

// header reads "[a.b]" or "[[a.b]]".
func (s *lineScanner) header() {
	line := s.line
	s.next()
	array := s.peek() == '['
	if array {
		s.next()
	}
	keys := s.keys()
	path := ""
	for i, k := range keys {
		path = join(path, k)
		n, isArray := s.arrays[path]
		if array && i == len(keys)-1 {
			s.arrays[path] = n + 1
			s.note(path, line)
			n, isArray = n+1, true
		}
		if isArray {
			path = fmt.Sprintf("%s[%d]", path, n-1)
		}
		s.note(path, line)
	}
	s.table = path
	for s.peek() == ']' {
		s.next()
	}
}

// note keeps the first line on which a path appears.
func (s *lineScanner) note(path string, line int) {
	if _, ok := s.lines[path]; !ok {
		s.lines[path] = line
	}
}

// pair reads "key = value" into the table at path.
func (s *lineScanner) pair(path string) {
	line, begin := s.line, s.at
	for _, k := range s.keys() {
		path = join(path, k)
		s.note(path, line)
	}
	if s.peek() == '=' {
		s.next()
	}
	s.value(path)
	if s.at == begin { // nothing TOML knows: go on all the same
		s.next()
	}
}

// keys reads a dotted key.
func (s *lineScanner) keys() []string {
	var keys []string
	for {
		s.skipBlank("")
		keys = append(keys, s.key())
		s.skipBlank("")
		if s.peek() != '.' {
			return keys
		}
		s.next()
	}
}

func (s *lineScanner) key() string {
	if c := s.peek(); c == '"' || c == '\'' {
		begin := s.at + 1
		s.quoted()
		return s.text[begin:max(begin, s.at-1)]
	}
	begin := s.at
	for s.at < len(s.text) && !strings.ContainsRune(" \t\r\n.=[]{},#\"'", rune(s.peek())) {
		s.at++
	}
	return s.text[begin:s.at]
}

// value goes over a value and notes the keys inside it.
func (s *lineScanner) value(path string) {
	s.skipBlank("")
	switch s.peek() {
	case '"', '\'':
		s.quoted()
	case '[':
		s.list(']', func(i int) {
			element := fmt.Sprintf("%s[%d]", path, i)
			s.note(element, s.line)
			s.value(element)
		})
	case '{':
		s.list('}', func(int) { s.pair(path) })
	default:
		for s.at < len(s.text) && !strings.ContainsRune(",]}#\n", rune(s.peek())) {
			s.at++
		}
	}
}

// list goes over the items between brackets, with commas between.
func (s *lineScanner) list(end byte, item func(int)) {
	s.next()
	for i := 0; ; i++ {
		s.skipBlank("\n,")
		if c := s.peek(); c == end || c == 0 {
			s.next()
			return
		}
		begin := s.at
		item(i)
		if s.at == begin {
			s.next()
		}
	}
}

// quoted goes over a string of any of the four forms.
func (s *lineScanner) quoted() {
	quote := s.text[s.at : s.at+1]
	end := quote
	if long := strings.Repeat(quote, 3); strings.HasPrefix(s.text[s.at:], long) {
		end = long
	}
	for range end {
		s.next()
	}
	for s.at < len(s.text) {
		switch {
		case quote == `"` && s.peek() == '\\':
			s.next()
			s.next()
		case strings.HasPrefix(s.text[s.at:], end):
			s.at += len(end)
			for s.at < len(s.text) && len(end) == 3 && s.peek() == quote[0] { // """a"""": the fourth is text
				s.at++
			}
			return
		default:
			s.next()
		}
	}
}

// join returns the path of a key in the table at path. Keys that need quotes have
// them.
func join(path, key string) string {
	if key == "" || strings.ContainsAny(key, " .[]") {
		key = strconv.Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}
