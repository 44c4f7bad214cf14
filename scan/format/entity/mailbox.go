package entity

import "strings"

// Mailbox is an address as a field has it.
type Mailbox struct {
	Name    string // phrase and comments, still encoded
	Address string
}

// Mailboxes takes an address list apart (RFC 5322, section 3.4) as leniently as
// clients do: of several addresses in angle brackets the last is the one.
func Mailboxes(field string) []Mailbox {
	r := mailboxReader{rest: field}
	for r.rest != "" {
		r.next()
	}
	r.end()
	return r.all
}

// mailboxReader reads an address list, one token at a time.
type mailboxReader struct {
	rest string
	all  []Mailbox
	name strings.Builder
	addr string
}

// next reads one token: a quoted text, a comment, an address in angle brackets, a
// comma or the text between them.
func (r *mailboxReader) next() {
	switch c := r.rest[0]; c {
	case '"':
		r.name.WriteString(" " + r.upTo('"') + " ")
	case '(':
		r.name.WriteString(" " + r.upTo(')') + " ")
	case '<':
		if r.addr != "" {
			r.name.WriteString(" " + r.addr + " ")
		}
		r.addr = strings.TrimSpace(r.upTo('>'))
	case ',', ';':
		r.rest = r.rest[1:]
		r.end()
	default:
		n := strings.IndexAny(r.rest, `"(<,;`)
		if n < 0 {
			n = len(r.rest)
		}
		r.name.WriteString(r.rest[:n])
		r.rest = r.rest[n:]
	}
}

// upTo reads what begins with the next byte up to its end, without both; a
// backslash takes the meaning from the byte after it.
func (r *mailboxReader) upTo(end byte) string {
	var b strings.Builder
	for i := 1; i < len(r.rest); i++ {
		switch c := r.rest[i]; {
		case c == '\\' && i+1 < len(r.rest):
			i++
			b.WriteByte(r.rest[i])
		case c == end:
			r.rest = r.rest[i+1:]
			return b.String()
		default:
			b.WriteByte(c)
		}
	}
	r.rest = ""
	return b.String()
}

// end ends a mailbox. One without angle brackets begins with its address.
func (r *mailboxReader) end() {
	name, addr := r.name.String(), r.addr
	r.name.Reset()
	r.addr = ""
	if addr == "" {
		for _, word := range strings.Fields(name) {
			if strings.Contains(word, "@") {
				addr, name = word, strings.Replace(name, word, "", 1)
				break
			}
		}
	}
	if addr != "" {
		r.all = append(r.all, Mailbox{name, addr})
	}
}
