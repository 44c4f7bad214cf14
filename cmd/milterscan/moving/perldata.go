package moving

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// perlValue is a literal of Perl: nothing of it was computed.
type perlValue struct {
	kind string // "text", "number", "undef", "list", "hash", "expression" (qr), "call" (a function of amavis),
	// "reference" (to a variable) or "code"
	text string // of "text", "number" and "expression"; the name of the function of "call", and of the variable
	list []perlValue
	at   int // the line
}

// errCode is returned for a value that is computed.
var errCode = errors.New("it is code in Perl, and no code is run")

// perl reads literals.
type perl struct {
	text    string
	pos     int
	depth   int
	vars    map[string]string // the values of plain variables set before
	lines   int               // that end before counted
	counted int
}

// variable reads the name of a variable, with the keys in braces after it.
func (p *perl) variable() string {
	begun := p.pos
	p.pos++
	for p.pos < len(p.text) && (isWord(p.text[p.pos]) || p.text[p.pos] == ':') {
		p.pos++
	}
	for p.pos < len(p.text) && p.text[p.pos] == '{' {
		end := strings.IndexByte(p.text[p.pos:], '}')
		if end < 0 {
			break
		}
		p.pos += end + 1
	}
	return p.text[begun:p.pos]
}

// isWord reports a character of a name.
func isWord(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// blanks passes over blanks.
func (p *perl) blanks() {
	for p.pos < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.pos]) >= 0 {
		p.pos++
	}
}

// value reads a value.
func (p *perl) value() (v perlValue, err error) {
	p.blanks()
	if p.pos >= len(p.text) {
		return v, errCode
	}
	if p.depth++; p.depth > 32 {
		return v, errors.New("values are in each other too deep")
	}
	defer func() { p.depth-- }()
	v.at = p.line()
	switch c := p.text[p.pos]; {
	case c == '\'' || c == '"':
		v.kind = "text"
		v.text, err = p.quoted(c)
	case c == '(' || c == '[':
		v.kind = "list"
		v.list, err = p.list(map[byte]byte{'(': ')', '[': ']'}[c])
	case c == '{':
		v.kind = "hash"
		v.list, err = p.list('}')
	case c == '\\' && p.pos+1 < len(p.text) && strings.IndexByte("$@%", p.text[p.pos+1]) >= 0:
		p.pos++
		v.kind, v.text = "reference", p.variable()
	case c == '\\':
		p.pos++
		return p.value()
	case c == '&':
		p.pos++
		v.kind = "code"
		v.text = p.name()
	case c >= '0' && c <= '9' || c == '-' || c == '.':
		v.kind = "number"
		v.text, err = p.number()
	case isWord(c):
		return p.word(v)
	default:
		err = errCode
	}
	return v, err
}

// line returns how many lines end before the value that is read, and looks at each of them once.
func (p *perl) line() int {
	p.lines += strings.Count(p.text[p.counted:p.pos], "\n")
	p.counted = p.pos
	return p.lines
}

// name reads a name.
func (p *perl) name() string {
	begun := p.pos
	for p.pos < len(p.text) && isWord(p.text[p.pos]) {
		p.pos++
	}
	return p.text[begun:p.pos]
}

// word reads a value that begins with a name: a constant, qw, qr, q, or a call of a function of amavis.
func (p *perl) word(v perlValue) (perlValue, error) {
	name := p.name()
	switch name {
	case "undef":
		v.kind = "undef"
		return v, nil
	case "qw", "qr", "q":
		p.blanks()
		text, err := p.delimited()
		if err != nil {
			return v, err
		}
		switch name {
		case "q":
			v.kind, v.text = "text", text
		case "qr":
			v.kind = "expression"
			flags := p.name()
			if v.text = text; strings.Contains(flags, "i") {
				v.text = "(?i)" + text
			}
			if strings.Contains(flags, "x") {
				return v, errors.New("the expression has blanks that do not count (x)")
			}
		default:
			v.kind = "list"
			for _, w := range strings.Fields(text) {
				v.list = append(v.list, perlValue{kind: "text", text: w, at: v.at})
			}
		}
		return v, nil
	}
	p.blanks()
	if p.pos < len(p.text) && p.text[p.pos] == '(' {
		v.kind, v.text = "call", name
		var err error
		v.list, err = p.list(')')
		return v, err
	}
	v.kind, v.text = "text", name // a constant such as D_REJECT, or a key before =>
	if !strings.HasPrefix(name, "D_") && !strings.HasPrefix(p.text[p.pos:], "=>") {
		return v, errCode
	}
	return v, nil
}

// list reads values up to a bracket.
func (p *perl) list(end byte) (list []perlValue, err error) {
	p.pos++
	for {
		p.blanks()
		switch {
		case p.pos >= len(p.text):
			return nil, errCode
		case p.text[p.pos] == end:
			p.pos++
			return list, nil
		case p.text[p.pos] == ',':
			p.pos++
			continue
		case strings.HasPrefix(p.text[p.pos:], "=>"):
			p.pos += 2
			continue
		}
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
}

// quoted reads a text in quotes. A variable in double quotes is code.
func (p *perl) quoted(quote byte) (string, error) {
	p.pos++
	var b strings.Builder
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		p.pos++
		switch {
		case c == '\\' && p.pos < len(p.text):
			e := p.text[p.pos]
			p.pos++
			switch {
			case quote == '"' && e == 'n':
				b.WriteByte('\n')
			case quote == '"' && e == 't':
				b.WriteByte('\t')
			case quote == '\'' && e != '\'' && e != '\\':
				b.WriteString("\\" + string(rune(e)))
			default:
				b.WriteByte(e)
			}
		case c == quote:
			return b.String(), nil
		case quote == '"' && (c == '$' || c == '@') && p.pos < len(p.text) &&
			(isWord(p.text[p.pos]) || p.text[p.pos] == '{'):
			v, ok := p.vars[string(c)+p.interpolated()]
			if b.WriteString(v); !ok || b.Len() > maxLine {
				return "", fmt.Errorf("a variable is in the text whose value is not known: %w", errCode)
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", errors.New("a text has no end")
}

// interpolated reads the name of a variable within a text.
func (p *perl) interpolated() string {
	if p.text[p.pos] == '{' {
		if end := strings.IndexByte(p.text[p.pos:], '}'); end > 0 {
			name := p.text[p.pos+1 : p.pos+end]
			p.pos += end + 1
			return name
		}
	}
	return p.name()
}

// delimited reads the text between the two delimiters of qw, qr and q.
func (p *perl) delimited() (string, error) {
	if p.pos >= len(p.text) {
		return "", errCode
	}
	open := p.text[p.pos]
	end, nests := map[byte]byte{'(': ')', '[': ']', '{': '}', '<': '>'}[open], true
	if end == 0 {
		end, nests = open, false
	}
	p.pos++
	begun, depth := p.pos, 1
	for p.pos < len(p.text) {
		switch c := p.text[p.pos]; {
		case c == '\\':
			p.pos++
		case c == end:
			if depth--; depth == 0 {
				p.pos++
				return p.text[begun : p.pos-1], nil
			}
		case nests && c == open:
			depth++
		}
		p.pos++
	}
	return "", errors.New("a text has no end")
}

// number reads a number, or a product of numbers, as sizes are written: 100*1024.
func (p *perl) number() (string, error) {
	product := 1.0
	for {
		p.blanks()
		begun := p.pos
		for p.pos < len(p.text) && (isWord(p.text[p.pos]) || p.text[p.pos] == '.' ||
			p.text[p.pos] == '-' && p.pos == begun) {
			p.pos++
		}
		n, err := strconv.ParseFloat(strings.ReplaceAll(p.text[begun:p.pos], "_", ""), 64)
		if err != nil || n > 1e15 || n < -1e15 {
			return "", errCode
		}
		product *= n
		p.blanks()
		if !strings.HasPrefix(p.text[p.pos:], "*") {
			break
		}
		p.pos++
	}
	return strconv.FormatFloat(product, 'f', -1, 64), nil
}

// texts returns the texts of a value and of the lists in it.
func (v perlValue) texts() (list []string) {
	switch v.kind {
	case "text", "number":
		return []string{v.text}
	case "list":
		for _, sub := range v.list {
			list = append(list, sub.texts()...)
		}
	}
	return list
}
