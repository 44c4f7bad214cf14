package entity

import "strings"

// longestBoundary is what RFC 2046, section 5.1.1, allows.
const longestBoundary = 70

// firstBoundary returns the boundary most clients read: the first that is given. It
// is odd when some may read another one from the same parameter.
func firstBoundary(params []Param) (b string, odd bool) {
	for i := range params {
		p := &params[i]
		if p.Name != "boundary" {
			if baseName(p.Name) == "boundary" {
				odd = true
			}
			continue
		}
		if b == "" {
			b = strings.TrimRight(p.Value, " \t\r\n")
			odd = odd || p.Odd || !plainBoundary(p)
		}
	}
	if b == "" && odd {
		b = joinSections(params, "boundary")
	}
	return b, odd
}

// plainBoundary reports whether a boundary can be read in one way only: as it
// is, or within one pair of quotes.
func plainBoundary(p *Param) bool {
	raw := strings.Trim(p.Raw, " \t\r\n")
	if len(raw) >= 2 && raw[0] == '"' && raw[len(raw)-1] == '"' {
		raw = raw[1 : len(raw)-1]
		if strings.IndexByte(raw, '(') >= 0 || strings.Trim(raw, " \t") != raw {
			return p.Value == raw && strings.Trim(raw, " \t") == raw
		}
	} else if strings.ContainsAny(raw, "( \t\",") || strings.HasPrefix(raw, "'") {
		return false
	}
	for i := 0; i < len(raw); i++ {
		if raw[i] < ' ' || raw[i] >= 0x7f || raw[i] == '"' || raw[i] == '\\' {
			return false
		}
	}
	return p.Value == raw && !holdsWord(raw) && !strings.HasSuffix(raw, "--")
}

// holdsWord reports whether s holds an encoded word (RFC 2047), which only some
// clients decode here.
func holdsWord(s string) bool {
	_, rest, found := strings.Cut(s, "=?")
	return found && strings.Count(rest, "?") >= 3 && strings.Contains(rest, "?=")
}

// countBoundaries counts the boundaries given under their plain name.
func countBoundaries(lists [][]Param) int {
	n := 0
	for _, params := range lists {
		for i := range params {
			if params[i].Name == "boundary" && !params[i].Odd {
				n++
			}
		}
	}
	return n
}

// baseName returns a parameter's name without the stars and section numbers of RFC
// 2231.
func baseName(name string) string {
	base, _, _ := strings.Cut(name, "*")
	return base
}

// joinSections joins the pieces of a parameter that RFC 2231, section 3, splits,
// in their order.
func joinSections(params []Param, base string) string {
	var b strings.Builder
	for i := range params {
		if params[i].Name != base && baseName(params[i].Name) == base && !params[i].Odd {
			b.WriteString(params[i].Value)
		}
	}
	return strings.TrimRight(b.String(), " \t\r\n")
}
