package entity

import "strings"

// Param is one parameter of a structured field, as some client would see it.
// Damaged text yields several: `name=a.txt filename=b.exe` is the name "a.txt",
// the name "a.txt filename=b.exe" and the file name "b.exe".
type Param struct {
	// lower case, without comments, blanks and control characters; the stars and section numbers of RFC 2231 are kept: "filename*0*"
	Name  string
	Value string // quotes, escapes, folding and trailing comments undone; percent signs and encoded words are not
	Raw   string // all between the "=" and the next ";", as written
	Odd   bool   // only some clients read it so
}

// damage is a set of ways in which a structured value departs from RFC 2045.
type damage uint16

const (
	unclosedQuote    damage = 1 << iota
	unclosedComment         // an open parenthesis that is never closed
	junkAfterQuote          // "bar"foo
	missingSemicolon        // a=b c=d, or a=b, c=d
	noValue                 // a parameter without "="
	oddName                 // no name, or one with characters that no name has
	controls                // a NUL or another control character in the value
	comments                // a comment, closed or not
	blanks                  // blanks before or after the "="
	doubled                 // two parameters of the same name
	unquoted                // characters outside quotes that belong inside
	tooManyParams
)

// untidy are the ways that change nothing about what a parameter means.
const untidy = comments | blanks | doubled | unquoted | controls | tooManyParams

// value is a structured field value taken apart: `multipart/mixed; boundary=x`.
type value struct {
	Head   string // all before the first parameter, folding and all
	Params []Param
	damage damage
}

// parseValue takes a structured value apart and never gives up, except after
// max parameters. Each of them costs time linear in the length of s.
func parseValue(s string, max int) value {
	p := paramParser{s: s, max: max}
	p.head()
	for p.pos < len(p.s) && p.out.damage&tooManyParams == 0 {
		p.segment()
	}
	if strings.IndexByte(s, 0) >= 0 {
		p.out.damage |= controls
	}
	return p.out
}

type paramParser struct {
	s        string
	pos      int
	max      int
	noQuotes bool // a quote was left open: from there on quotes are plain characters
	noParens bool // the same for comments
	out      value
}

// head takes the text before the first semicolon: the media type. A
// parameter may be there too, where the semicolon is missing.
func (p *paramParser) head() {
	end := p.segmentEnd(0)
	p.out.Head, p.pos = p.s[:end], min(end+1, len(p.s))
	at := lateParam(p.out.Head)
	if first := strings.TrimLeft(p.out.Head, " \t\r\n"); knownParam(first) {
		at = len(p.out.Head) - len(first)
	}
	if at >= 0 {
		p.out.damage |= missingSemicolon
		p.out.Head, p.pos = p.s[:at], at
	}
}

// segment takes one `name=value` up to its semicolon.
func (p *paramParser) segment() {
	start := p.pos
	end := p.segmentEnd(start)
	p.pos = min(end+1, len(p.s))
	seg := p.s[start:end]
	eq := p.equals(seg)
	if eq < 0 {
		if !isBlank(seg) || end < len(p.s) {
			p.out.damage |= noValue
		}
		return
	}
	name, odd := paramName(seg[:eq])
	if odd {
		p.out.damage |= oddName
	}
	if eq > 0 && seg[eq-1] <= ' ' || eq+1 < len(seg) && seg[eq+1] <= ' ' {
		p.out.damage |= blanks
	}
	if at := lateParam(seg[eq+1:]); at > 0 {
		p.out.damage |= missingSemicolon
		p.add(name, seg[eq+1:eq+1+at], false)
		p.add(name, seg[eq+1:], true)
		p.pos = start + eq + 1 + at
		return
	}
	p.add(name, seg[eq+1:], false)
}

// segmentEnd returns the index of the semicolon that ends the segment at start, or
// the length of the text. Semicolons in quotes and comments do not count.
func (p *paramParser) segmentEnd(start int) int {
	for i := start; i < len(p.s); {
		switch c := p.s[i]; {
		case c == ';':
			return i
		case c == '"' && !p.noQuotes:
			i = p.skip(i, quoteEnd, &p.noQuotes, unclosedQuote)
		case c == '(' && !p.noParens:
			p.out.damage |= comments
			i = p.skip(i, commentEnd, &p.noParens, unclosedComment)
		default:
			i++
		}
	}
	return len(p.s)
}

// skip jumps over a quoted string or a comment. If it is never closed, its
// opening character loses its meaning for good, which keeps the time linear.
func (p *paramParser) skip(i int, ending func(string, int) int, plain *bool, d damage) int {
	if end := ending(p.s, i); end >= 0 {
		return end
	}
	p.out.damage |= d
	*plain = true
	return i + 1
}

// equals returns the index of the "=" after the parameter's name. Comments may come
// before it: `boundary((c=d))="A"`.
func (p *paramParser) equals(seg string) int {
	plain := p.noParens
	for i := 0; i < len(seg); i++ {
		switch {
		case seg[i] == '=':
			return i
		case seg[i] == '(' && !plain:
			if end := commentEnd(seg, i); end > 0 {
				i = end - 1
			} else {
				plain = true
			}
		}
	}
	return -1
}

// add keeps a parameter in every form a client may give to its raw value.
func (p *paramParser) add(name, raw string, odd bool) {
	text := strings.Trim(unfold(raw), " \t\r\n")
	if text == "" || text[0] != '"' {
		p.addPlain(name, raw, text, odd)
		return
	}
	end := quoteEnd(text, 0)
	if end < 0 {
		p.keep(Param{name, unescape(text[1:]), raw, odd})
		return
	}
	inside := text[1 : end-1]
	p.keep(Param{name, unescape(inside), raw, odd})
	if strings.IndexByte(inside, '\\') >= 0 {
		p.keep(Param{name, unpair(inside), raw, true})
	}
	if rest := text[end:]; !isBlank(stripComments(rest)) {
		p.out.damage |= junkAfterQuote
		p.keep(Param{name, unescape(inside) + strings.ReplaceAll(rest, `"`, ""), raw, true})
	}
}

// addPlain keeps a value without quotes: `us-ascii (Plain text)` means the
// first word, `Report (1).pdf` rather the whole.
func (p *paramParser) addPlain(name, raw, text string, odd bool) {
	p.out.damage |= plainDamage(text)
	if strings.IndexByte(text, '(') < 0 {
		p.keep(Param{name, text, raw, odd})
		return
	}
	bare := strings.TrimRight(stripComments(text), " \t\r\n")
	if bare == text || !strings.HasPrefix(text, bare) || bare == "" {
		p.keep(Param{name, text, raw, odd})
		p.keep(Param{name, bare, raw, true})
		return
	}
	p.keep(Param{name, bare, raw, odd})
	p.keep(Param{name, text, raw, true})
}

// plainDamage returns the faults of a value without quotes (RFC 2045, section
// 5.1: it is a token).
func plainDamage(text string) damage {
	if text == "" {
		return noValue
	}
	for _, c := range []byte(strings.Trim(stripComments(text), " \t")) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?=`, c) >= 0 {
			return unquoted
		}
	}
	return 0
}

func (p *paramParser) keep(q Param) {
	if len(p.out.Params) >= p.max {
		p.out.damage |= tooManyParams
		return
	}
	if n := len(p.out.Params); q.Odd && n > 0 && p.out.Params[n-1].Value == q.Value && p.out.Params[n-1].Name == q.Name {
		return
	}
	if !q.Odd && p.has(q.Name) {
		p.out.damage |= doubled
	}
	p.out.Params = append(p.out.Params, q)
}

func (p *paramParser) has(name string) bool {
	for i := range p.out.Params {
		if p.out.Params[i].Name == name && !p.out.Params[i].Odd {
			return true
		}
	}
	return false
}

// lateParam finds a parameter that no semicolon announces: a known name after a
// blank, a comma or a quoted string, and its "=". It returns its index, or -1.
func lateParam(s string) int {
	if strings.IndexByte(s, '=') < 0 {
		return -1
	}
	open := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' && !open:
			if end := quoteEnd(s, i); end > 0 {
				i = end - 1
			} else {
				open = true
			}
			if known := knownParam(s[min(i+1, len(s)):]); known {
				return i + 1
			}
		case (c == ' ' || c == '\t' || c == ',' || c == '\n') && i > 0 && knownParam(s[i+1:]):
			return i + 1
		}
	}
	return -1
}

// knownParam reports whether s starts with a parameter that decides about
// structure or names, and its "=".
func knownParam(s string) bool {
	for _, name := range [...]string{"boundary", "name", "filename", "charset"} {
		if len(s) > len(name) && strings.EqualFold(s[:len(name)], name) {
			rest := strings.TrimLeft(s[len(name):], "*0123456789 \t")
			return strings.HasPrefix(rest, "=")
		}
	}
	return false
}

// paramName cleans a parameter's name and reports whether it needed it.
func paramName(s string) (name string, odd bool) {
	s = strings.Trim(unfold(stripComments(s)), " \t\r\n")
	if i := strings.IndexFunc(s, notInName); i < 0 {
		return strings.ToLower(s), s == "" || strings.ContainsAny(s, `<>@,:"/[]?`)
	}
	clean := func(r rune) rune {
		if notInName(r) {
			return -1
		}
		return r
	}
	return strings.ToLower(strings.Map(clean, s)), true
}

func notInName(r rune) bool { return r <= ' ' || r >= 0x7f }

// isBlank reports whether s holds nothing but blanks and line ends.
func isBlank(s string) bool { return strings.Trim(s, " \t\r\n") == "" }
