package moving

import "strings"

// assignment is one assignment of a file.
type assignment struct {
	name  string // with its sign: "$x", "@x", "%x", "$policy_bank{'X'}"
	value perlValue
	at    Place
	err   error // why the value is no literal
	text  string
}

// assignments returns the assignments of a file in Perl, statement by statement. A statement that assigns no
// literal is returned with an error.
func assignments(lines []line, vars map[string]string) (list []assignment) {
	for i := 0; i < len(lines); {
		l := lines[i]
		text := strings.TrimSpace(l.text)
		if comment(text) || text == "__END__" || strings.HasPrefix(text, "=") {
			if text == "__END__" {
				return list
			}
			i++
			continue
		}
		statement, used := gather(lines[i:])
		i += used
		if a, some := assigned(statement, vars); some {
			a.at, a.text = l.at, text
			if a.err == nil && a.value.kind == "text" && len(a.value.text) < 1000 {
				vars[a.name] = a.value.text
			}
			list = append(list, a)
		}
	}
	return list
}

// maxStatement bounds a statement.
const maxStatement = 1 << 20

// gather joins lines up to the end of a statement: a semicolon outside of brackets, quotes and comments.
func gather(lines []line) (text string, used int) {
	var b strings.Builder
	depth := 0
	var quote byte
	for _, l := range lines {
		used++
		ended := false
		for i := 0; i < len(l.text); i++ {
			c := l.text[i]
			if quote != 0 {
				if c == '\\' && i+1 < len(l.text) {
					b.WriteByte(c)
					i++
					c = l.text[i]
				} else if c == quote {
					quote = 0
				}
				b.WriteByte(c)
				continue
			}
			if c == '#' && (i == 0 || l.text[i-1] == ' ' || l.text[i-1] == '\t' || l.text[i-1] == ';' ||
				l.text[i-1] == ',') {
				break
			}
			switch c {
			case '\'', '"':
				quote = c
			case '(', '[', '{':
				depth++
			case ')', ']', '}':
				depth--
			case ';':
				ended = depth <= 0
			}
			b.WriteByte(c)
		}
		b.WriteByte('\n')
		if ended || b.Len() > maxStatement {
			break
		}
	}
	return b.String(), used
}

// assigned reads a statement; some is false for statements that set nothing, such as "use strict;" and "1;".
func assigned(text string, vars map[string]string) (a assignment, some bool) {
	text = strings.TrimSpace(text)
	word, _ := cutWord(strings.TrimRight(text, "; \n"))
	switch word {
	case "1", "use", "no", "package", "return", "":
		return a, false
	}
	text = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(text, "my "), "our "))
	a.name = text
	if strings.HasPrefix(text, "read_hash") {
		return readHash(text, vars), true
	}
	if !strings.ContainsAny(text[:1], "$@%") {
		a.err = errCode
		return a, true
	}
	p := &perl{text: text, vars: vars}
	a.name = p.variable()
	p.blanks()
	if !strings.HasPrefix(p.text[p.pos:], "=") || strings.HasPrefix(p.text[p.pos:], "=~") ||
		strings.HasPrefix(p.text[p.pos:], "==") {
		a.err = errCode
		return a, true
	}
	p.pos++
	a.value, a.err = p.value()
	p.blanks()
	if a.err == nil && strings.Trim(p.text[p.pos:], "; \t\r\n") != "" {
		a.err = errCode
	}
	return a, true
}

// readHash reads a statement by which amavis fills a hash from a file: read_hash(\%whitelist_sender, 'FILE').
func readHash(text string, vars map[string]string) (a assignment) {
	p := &perl{text: text, vars: vars}
	v, err := p.value()
	p.blanks()
	if err != nil || v.kind != "call" || len(v.list) != 2 || v.list[0].kind != "reference" ||
		strings.Trim(p.text[p.pos:], "; \t\r\n") != "" {
		return assignment{name: text, err: errCode}
	}
	return assignment{name: v.list[0].text, value: v}
}
