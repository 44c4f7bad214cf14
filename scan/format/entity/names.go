package entity

import (
	"slices"
	"strconv"
	"strings"
)

const (
	// mostNames ends the collecting. It is above any Limits.Names, so that the
	// limit is reported.
	mostNames = 1 << 10
	// highestSection is the largest number of a parameter section that counts;
	// no client counts further.
	highestSection = 1 << 16
)

// decodeNames returns every file name that any mail client might show, the one
// most would show first, without repeats: those of all Content-Disposition and
// all Content-Type fields, given by their parameters.
func decodeNames(ct, cd [][]Param) []string {
	var n nameSet
	for _, fields := range [...][][]Param{cd, ct} {
		for _, params := range fields {
			n.extended(params)
		}
		for _, params := range fields {
			n.plain(params)
		}
	}
	return n.names
}

// nameSet collects names.
type nameSet struct{ names []string }

func (n *nameSet) add(name string) {
	if name != "" && len(n.names) < mostNames && !slices.Contains(n.names, name) {
		n.names = append(n.names, name)
	}
}

// section is one piece of a parameter's value (RFC 2231, section 3).
type section struct {
	number  int  // -1: the parameter is not cut in sections
	encoded bool // a star at the end: charset and percent signs (section 4)
	value   string
}

// parseSection splits a parameter's name: "filename*1*" is section 1, encoded,
// of "filename".
func parseSection(p Param) (base string, s section) {
	s.value = p.Value
	base, rest, starred := strings.Cut(p.Name, "*")
	digits, tail, second := strings.Cut(rest, "*")
	s.number = -1
	if number, err := strconv.Atoi(digits); err == nil && number >= 0 && number < highestSection {
		s.number = number
	}
	s.encoded = second && tail == "" || starred && digits == ""
	return base, s
}

func isNameParam(base string) bool { return base == "filename" || base == "name" }

// extended adds the names that RFC 2231 can say: whole ones in a charset, and
// those cut in sections.
func (n *nameSet) extended(params []Param) {
	if !slices.ContainsFunc(params, func(p Param) bool { return strings.Contains(p.Name, "*") }) {
		return
	}
	sections := map[string][]section{}
	for _, p := range params {
		base, s := parseSection(p)
		switch {
		case !isNameParam(base) || p.Name == base:
		case s.number >= 0:
			sections[base] = append(sections[base], s)
		default:
			n.joined([]section{s})
		}
	}
	for _, base := range [...]string{"filename", "name"} {
		for _, order := range sectionOrders(sections[base]) {
			n.joined(order)
		}
	}
}

// sectionOrders returns the ways in which clients put sections together: by number,
// up to the first gap or over it, a repeated number's first or last, or all, or
// all as they are.
func sectionOrders(given []section) [][]section {
	if len(given) < 2 {
		return [][]section{given}
	}
	sorted := slices.Clone(given)
	slices.SortStableFunc(sorted, func(a, b section) int { return a.number - b.number })
	sameNumber := func(a, b section) bool { return a.number == b.number }
	first := slices.CompactFunc(slices.Clone(sorted), sameNumber)
	last := slices.Clone(sorted)
	slices.Reverse(last)
	last = slices.CompactFunc(slices.Clone(last), sameNumber)
	slices.Reverse(last)
	return [][]section{upToGap(first), first, upToGap(last), last, sorted, given}
}

// upToGap returns the sections before the first number that is missing.
func upToGap(s []section) []section {
	for i := range s {
		if s[i].number != i {
			return s[:i]
		}
	}
	return s
}

// joined adds the names that sections in this order may mean.
func (n *nameSet) joined(order []section) {
	if len(order) == 0 {
		return
	}
	label, text := "", []byte(nil)
	for i, s := range order {
		value := s.value
		if s.encoded && i == 0 {
			label, value = cutCharset(value)
		}
		if s.encoded {
			text = append(text, percentDecoded(value)...)
		} else {
			text = append(text, value...)
		}
	}
	n.inCharset(label, text)
}

// inCharset adds text in a charset. A charset that makes other characters of
// plain ASCII hides a name from clients that know it, or from those that do not.
func (n *nameSet) inCharset(label string, text []byte) {
	name := inCharset(label, text)
	n.forms(name)
	if unprintable(text) < 0 && name != string(text) {
		n.forms(string(text))
	}
}

// plain adds the names that parameters give in one piece and without a star.
func (n *nameSet) plain(params []Param) {
	for _, p := range params {
		if !isNameParam(p.Name) {
			continue
		}
		n.forms(p.Value)
		raw := strings.Trim(p.Raw, " \t\r\n")
		if !strings.HasPrefix(raw, `"`) {
			n.token(p.Value)
		}
		if strings.ContainsAny(raw, "\r\n") {
			n.forms(strings.Trim(withoutFolds(raw), `"`))
		}
	}
}

// withoutFolds takes the blanks of a fold out together with its line end, as
// some clients do.
func withoutFolds(s string) string {
	var b strings.Builder
	for line := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == '\r' || r == '\n' }) {
		if b.Len() > 0 {
			line = strings.TrimLeft(line, " \t")
		}
		b.WriteString(line)
	}
	return b.String()
}

// token adds the first word of a value that should be quoted but is not:
// strictly it ends at the first blank. An encoded word may have blanks in it.
func (n *nameSet) token(value string) {
	if strings.Contains(value, "=?") {
		return
	}
	if end := strings.IndexAny(value, " \t\r\n,"); end > 0 {
		n.forms(value[:end])
	}
}

// forms adds a value as it is, with encoded words decoded wherever they
// are, with percent signs decoded though no star says so, and without a
// charset in front that no star announces.
func (n *nameSet) forms(value string) {
	n.add(strings.Trim(DecodeWords(value), "\r\n"))
	if !strings.Contains(value, "%") {
		return
	}
	label, rest := cutCharset(value)
	if text := percentDecoded(rest); string(text) != rest || label != "" {
		n.add(DecodeWords(inCharset(label, text)))
	}
}

// cutCharset cuts charset'language' off the start of a value (RFC 2231, section
// 4). Without two apostrophes, and so without a charset, the value stays whole.
func cutCharset(value string) (label, text string) {
	label, rest, one := strings.Cut(value, "'")
	_, text, two := strings.Cut(rest, "'")
	if !one || !two || len(label) > longestCharset {
		return "", value
	}
	return label, text
}

// percentDecoded undoes percent encoding and keeps all other bytes.
func percentDecoded(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && hexDigits[s[i+1]] < 16 && hexDigits[s[i+2]] < 16 {
			out = append(out, hexDigits[s[i+1]]<<4|hexDigits[s[i+2]])
			i += 2
			continue
		}
		out = append(out, s[i])
	}
	return out
}
