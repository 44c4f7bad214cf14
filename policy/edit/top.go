package edit

import (
	"strings"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// Fields puts header fields on top of a message, and takes away fields that came in
// and would pass for ours: see forges.
func Fields(h entity.Header, fields []policy.HeaderField) []policy.HeaderChange {
	var list []policy.HeaderChange
	done := map[string]bool{}
	for _, f := range fields {
		if name := strings.ToLower(f.Name); !done[name] {
			done[name] = true
			list = append(list, forgeries(h, f)...)
		}
		list = append(list, policy.HeaderChange{Op: policy.InsertTop, Name: f.Name, Value: folded(f.Name, f.Value)})
	}
	return list
}

// forgeries takes away what would pass for a field.
func forgeries(h entity.Header, f policy.HeaderField) []policy.HeaderChange {
	var list []policy.HeaderChange
	for i, value := range h.Values(f.Name) {
		if forges(f, value) {
			list = append(list, policy.HeaderChange{Op: policy.Delete, Name: f.Name, Index: i + 1})
		}
	}
	return list
}

// forges reports whether a value that came in passes for one of ours: any does
// whose name only filters use, and one of Authentication-Results that claims our
// name (RFC 8601, section 5).
func forges(f policy.HeaderField, value string) bool {
	if strings.EqualFold(f.Name, "Authentication-Results") {
		return strings.EqualFold(firstWord(value), firstWord(f.Value))
	}
	return len(f.Name) > 2 && strings.EqualFold(f.Name[:2], "x-")
}

// firstWord returns the first word of a structured field, after comments and blanks;
// quotes around it do not count (RFC 5322, section 3.2).
func firstWord(value string) string {
	depth, quoted := 0, false
	var word strings.Builder
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch {
		case c == '\\' && (quoted || depth > 0) && i+1 < len(value):
			if i++; depth == 0 {
				word.WriteByte(value[i])
			}
		case quoted && c != '"', depth == 0 && c > ' ' && !strings.ContainsRune(`();"`, rune(c)):
			word.WriteByte(c)
		case c == '"' && depth == 0:
			quoted = !quoted
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth == 0 && word.Len() > 0:
			return word.String()
		}
	}
	return word.String()
}

// folded breaks a long value at blanks, so that its lines fit into 78 characters
// where they can (RFC 5322, section 2.1.1).
func folded(name, value string) string {
	if len(name)+len(": ")+len(value) <= foldedLine || strings.ContainsAny(value, "\r\n") {
		return value
	}
	var b strings.Builder
	room := foldedLine - len(name) - len(": ")
	for i, word := range strings.Split(value, " ") {
		switch {
		case i == 0:
		case len(word)+1 > room:
			b.WriteString("\r\n ")
			room = foldedLine - 1
		default:
			b.WriteByte(' ')
			room--
		}
		b.WriteString(word)
		room -= len(word)
	}
	return b.String()
}
