package moving

import (
	"errors"
	"fmt"
	"strings"
)

// uclNode is a value in a file of rspamd, in the language UCL: a text, a list, or an object.
type uclNode struct {
	key   string
	text  string
	kind  string // "text", "list" or "object"
	nodes []*uclNode
	at    Place
}

// ucl reads a file. It tells of directives such as .include, and includes nothing.
type ucl struct {
	text  string
	pos   int
	file  string
	line  int
	depth int
	count int
	tell  func(at Place, what string)
}

// Bounds of a file.
const (
	uclDepth = 32
	uclNodes = 200000
)

// readUCL reads a text. Its error names the line from which on it does not understand the text.
func readUCL(file, text string, tell func(Place, string)) (*uclNode, error) {
	u := &ucl{text: text, file: file, line: 1, tell: tell}
	root := &uclNode{kind: "object"}
	if err := u.object(root, 0); err != nil {
		return root, &lineError{u.line, err}
	}
	return root, nil
}

// get returns the last value of a key.
func (n *uclNode) get(key string) *uclNode {
	for i := len(n.nodes) - 1; i >= 0; i-- {
		if strings.EqualFold(n.nodes[i].key, key) {
			return n.nodes[i]
		}
	}
	return nil
}

// word returns the text of a key; empty if it has none.
func (n *uclNode) word(key string) string {
	if v := n.get(key); v != nil && v.kind == "text" {
		return v.text
	}
	return ""
}

// words returns the texts of a value or of a list.
func (n *uclNode) words() (list []string) {
	switch {
	case n == nil:
	case n.kind == "text":
		return []string{n.text}
	case n.kind == "list":
		for _, sub := range n.nodes {
			list = append(list, sub.words()...)
		}
	}
	return list
}

// isOn reports whether a text says yes.
func isOn(s string) bool {
	switch strings.ToLower(s) {
	case "true", "yes", "on", "1":
		return true
	}
	return false
}

// peek returns the next character; 0 at the end.
func (u *ucl) peek() byte {
	if u.pos >= len(u.text) {
		return 0
	}
	return u.text[u.pos]
}

// next moves by one character.
func (u *ucl) next() byte {
	c := u.peek()
	if u.pos++; c == '\n' {
		u.line++
	}
	return c
}

// blanks passes over comments and the characters of skip.
func (u *ucl) blanks(skip string) error {
	for u.pos < len(u.text) {
		switch c := u.peek(); {
		case strings.IndexByte(skip, c) >= 0:
			u.next()
		case c == '#':
			for c := u.peek(); c != 0 && c != '\n'; c = u.peek() {
				u.next()
			}
		case strings.HasPrefix(u.text[u.pos:], "/*"):
			for !strings.HasPrefix(u.text[u.pos:], "*/") {
				if u.next() == 0 {
					return errors.New("a comment has no end")
				}
			}
			u.next()
			u.next()
		default:
			return nil
		}
	}
	return nil
}

const (
	uclSpace = " \t\r\n,;"
	uclLine  = " \t\r"
)

// object reads keys and values, up to a closing brace or the end of the text.
func (u *ucl) object(into *uclNode, end byte) error {
	if u.depth++; u.depth > uclDepth {
		return fmt.Errorf("more than %d objects are in each other", uclDepth)
	}
	defer func() { u.depth-- }()
	for {
		if err := u.blanks(uclSpace); err != nil {
			return err
		}
		switch c := u.peek(); {
		case c == 0 && u.pos < len(u.text):
			return errors.New("it has a NUL")
		case c == 0 && end == 0:
			return nil
		case c == 0:
			return errors.New("a brace is not closed")
		case c == end:
			u.next()
			return nil
		case c == '}' || c == ']':
			return fmt.Errorf("%q closes nothing", c)
		case c == '.':
			u.directive()
			continue
		}
		if err := u.pair(into); err != nil {
			return err
		}
	}
}

// directive passes over a line such as .include "file".
func (u *ucl) directive() {
	at, begun := Place{u.file, u.line}, u.pos
	for c := u.peek(); c != 0 && c != '\n'; c = u.peek() {
		u.next()
	}
	u.tell(at, strings.TrimSpace(u.text[begun:u.pos]))
}

// pair reads a key and its value. Words between a key and a brace are keys of objects in it.
func (u *ucl) pair(into *uclNode) error {
	if u.count++; u.count > uclNodes {
		return fmt.Errorf("there are more than %d values", uclNodes)
	}
	at := Place{u.file, u.line}
	key, err := u.name()
	if err != nil {
		return err
	}
	if err := u.blanks(uclLine); err != nil {
		return err
	}
	if c := u.peek(); c == '=' || c == ':' {
		u.next()
		if err := u.blanks(" \t\r\n"); err != nil {
			return err
		}
	}
	n := &uclNode{key: key, at: at}
	into.nodes = append(into.nodes, n)
	// "key "name" {": an object in an object.
	if c := u.peek(); c == '"' || isWord(c) {
		mark, line := u.pos, u.line
		if inner, err := u.name(); err == nil && u.blanks(uclLine) == nil && u.peek() == '{' {
			n.kind = "object"
			sub := &uclNode{key: inner, kind: "object", at: at}
			n.nodes = append(n.nodes, sub)
			u.next()
			return u.object(sub, '}')
		}
		u.pos, u.line = mark, line
	}
	return u.value(n)
}

// name reads a key.
func (u *ucl) name() (string, error) {
	if c := u.peek(); c == '"' || c == '\'' {
		return u.quoted()
	}
	begun := u.pos
	for c := u.peek(); isWord(c) || c == '-' || c == '.' || c == '/' || c == '@' || c == '*' || c == '$'; c = u.peek() {
		u.next()
	}
	if u.pos == begun {
		return "", fmt.Errorf("%q is no key", u.peek())
	}
	return u.text[begun:u.pos], nil
}

// value reads a value.
func (u *ucl) value(n *uclNode) (err error) {
	switch c := u.peek(); {
	case c == '{':
		u.next()
		n.kind = "object"
		return u.object(n, '}')
	case c == '[':
		u.next()
		n.kind = "list"
		return u.list(n)
	case c == '"' || c == '\'':
		n.kind = "text"
		n.text, err = u.quoted()
		return err
	case strings.HasPrefix(u.text[u.pos:], "<<"):
		n.kind = "text"
		return u.document(n)
	}
	n.kind = "text"
	begun := u.pos
	for c := u.peek(); c != 0 && strings.IndexByte(";\n,}]#", c) < 0; c = u.peek() {
		u.next()
	}
	n.text = strings.TrimSpace(u.text[begun:u.pos])
	return nil
}

// list reads the values of a list.
func (u *ucl) list(n *uclNode) error {
	if u.depth++; u.depth > uclDepth {
		return fmt.Errorf("more than %d lists are in each other", uclDepth)
	}
	defer func() { u.depth-- }()
	for {
		if err := u.blanks(uclSpace); err != nil {
			return err
		}
		switch u.peek() {
		case 0:
			return errors.New("a bracket is not closed")
		case ']':
			u.next()
			return nil
		case '}':
			return errors.New("a brace closes a bracket")
		}
		if u.count++; u.count > uclNodes {
			return fmt.Errorf("there are more than %d values", uclNodes)
		}
		sub := &uclNode{at: Place{u.file, u.line}}
		n.nodes = append(n.nodes, sub)
		if err := u.value(sub); err != nil {
			return err
		}
	}
}

// quoted reads a text in quotes.
func (u *ucl) quoted() (string, error) {
	quote := u.next()
	var b strings.Builder
	for {
		switch c := u.next(); {
		case c == 0:
			return "", errors.New("a text has no end")
		case c == quote:
			return b.String(), nil
		case c == '\\' && quote == '"':
			e := u.next()
			if i := strings.IndexByte("nt", e); i >= 0 {
				e = "\n\t"[i]
			}
			b.WriteByte(e)
		default:
			b.WriteByte(c)
		}
	}
}

// document reads a text of several lines: <<EOD ... EOD.
func (u *ucl) document(n *uclNode) error {
	rest := u.text[u.pos+2:]
	mark, _, ok := strings.Cut(rest, "\n")
	mark = strings.TrimSpace(mark)
	end := strings.Index(rest, "\n"+mark)
	if !ok || mark == "" || end < 0 {
		return errors.New("a text has no end")
	}
	first := strings.IndexByte(rest, '\n')
	if first < end {
		n.text = rest[first+1 : end]
	}
	for range end + 1 + len(mark) + 2 {
		u.next()
	}
	return nil
}
