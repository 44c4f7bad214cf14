package content

import (
	"regexp"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/format/markup"
)

// longestFrom bounds how much of a From field is read.
const longestFrom = 16 << 10

// judgeAuthors compares the names that clients show for the authors of a message
// with their addresses: many show the name alone.
func judgeAuthors(b *book, m *scan.Message) {
	if m.Root == nil {
		return
	}
	for _, field := range m.Root.Header.Values("From") {
		for _, a := range mailboxes(field[:min(len(field), longestFrom)]) {
			if shown := a.otherAddress(); shown != "" {
				b.page(scan.WholeMessage).addf(ruleDisplay, "the author is called %s and writes from %s", printable(shown), printable(a.address))
			}
		}
	}
}

// mailbox is one author as the field has it.
type mailbox struct {
	name    string // phrase and comments, still encoded
	address string
}

// otherAddress returns the mail address that the name shows, if its domain belongs to
// others than that of the address does.
func (m mailbox) otherAddress() string {
	host := markup.ParseURL("mailto:" + m.address).Host
	if host == "" {
		return ""
	}
	name := spacedSigns.ReplaceAllString(atSigns.Replace(entity.DecodeWords(m.name)), "@")
	for _, shown := range markup.Addresses(name) {
		if _, domain, _ := strings.Cut(shown, "@"); markup.Registrable(domain) != markup.Registrable(host) {
			return shown
		}
	}
	return ""
}

// atSigns makes "@" of the signs that look like it.
var atSigns = strings.NewReplacer("\uff20", "@", "\ufe6b", "@")

// spacedSigns are signs that people read as part of an address, though there are blanks
// around them or a word is in their place.
var spacedSigns = regexp.MustCompile(`(?i)[\s\pZ]*(?:@|\(\s*at\s*\)|\[\s*at\s*\]|\{\s*at\s*\})[\s\pZ]*`)

// mailboxes takes an address list apart (RFC 5322, section 3.4) as leniently as
// clients do: of several addresses in angle brackets the last is the one.
func mailboxes(field string) []mailbox {
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
	all  []mailbox
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
		r.all = append(r.all, mailbox{name, addr})
	}
}
