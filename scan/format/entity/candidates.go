package entity

import (
	"slices"
	"strings"
)

// mostForms ends the collecting of forms of one boundary.
const mostForms = 400

// boundaryForms lists every boundary that some client might read from a
// Content-Type value, whatever is wrong with it.
func boundaryForms(v string, params []Param) []string {
	f := forms{}
	for i := range params {
		if baseName(params[i].Name) == "boundary" {
			f.add(params[i].Value)
			f.damaged(params[i].Raw)
		}
	}
	f.sections(params)
	lower := lowerASCII(v)
	for at, tries := 0, 0; tries < 16; tries++ {
		i := strings.Index(lower[at:], "boundary")
		if i < 0 {
			break
		}
		at += i + len("boundary")
		if eq := strings.IndexByte(v[at:], '='); eq >= 0 {
			f.tail(v[at+eq+1:])
		}
	}
	return f.list
}

// forms collects strings without repeats.
type forms struct{ list []string }

func (f *forms) add(s string) {
	s = strings.TrimRight(s, " \t\r\n")
	if s != "" && len(f.list) < mostForms && !slices.Contains(f.list, s) {
		f.list = append(f.list, s)
	}
}

// sections adds what the pieces of RFC 2231 may make: joined as they are, by
// number, with the first or the last of repeated numbers, trimmed or not.
func (f *forms) sections(params []Param) {
	var given []Param
	for _, p := range params {
		if p.Name != "boundary" && baseName(p.Name) == "boundary" && !p.Odd {
			given = append(given, p)
		}
	}
	sorted := slices.Clone(given)
	slices.SortStableFunc(sorted, func(a, b Param) int { return strings.Compare(a.Name, b.Name) })
	same := func(a, b Param) bool { return strings.TrimRight(a.Name, "*") == strings.TrimRight(b.Name, "*") }
	first := slices.CompactFunc(slices.Clone(sorted), same)
	last := slices.Clone(sorted)
	slices.Reverse(last)
	last = slices.CompactFunc(last, same)
	slices.Reverse(last)
	for _, order := range [][]Param{given, sorted, first, last} {
		f.join(order)
	}
}

// join adds the pieces joined, in each way their values may be read.
func (f *forms) join(order []Param) {
	plain := func(s string) string { return s }
	for _, read := range []func(string) string{plain, strings.TrimSpace, percentText, DecodeWords} {
		var b strings.Builder
		for _, p := range order {
			b.WriteString(read(p.Value))
		}
		f.add(b.String())
		f.damaged(b.String())
	}
}

// lowerASCII returns s in lower case, of the same length: strings.ToLower makes
// more of bytes that are not UTF-8.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// percentText undoes the encoding of RFC 2231, section 4.
func percentText(s string) string {
	_, text := cutCharset(s)
	return string(percentDecoded(text))
}

// tail adds what may be meant by all that follows "boundary=".
func (f *forms) tail(v string) {
	v = v[:min(len(v), 4096)]
	f.damaged(v)
	if i := strings.IndexByte(v, ';'); i >= 0 {
		f.damaged(v[:i])
	}
	if i := strings.IndexAny(v, "\r\n"); i >= 0 {
		f.damaged(v[:i])
	}
	if i := strings.IndexByte(v, '='); i >= 0 {
		if semi := strings.LastIndexByte(v[:i], ';'); semi >= 0 {
			f.damaged(v[:semi])
		}
		f.damaged(v[i+1:]) // boundary==x
	}
}

// damaged adds what clients may make of a raw value: folding, quotes, comments,
// escapes, encoded words, NULs and blanks kept, dropped, or the end of it.
func (f *forms) damaged(raw string) {
	raw = raw[:min(len(raw), 4096)]
	unfolded := unfold(raw)
	for _, s := range []string{unfolded, dropFolds(raw), firstLine(raw)} {
		for _, s := range []string{s, strings.Trim(s, " \t")} {
			f.quotes(s)
			f.quotes(stripComments(s))
			f.quotes(percentText(s))
			f.quotes(DecodeWords(s))
		}
	}
}

// quotes adds s with its quotes kept and with them dropped, and the texts in,
// before and after the first pair.
func (f *forms) quotes(s string) {
	f.ends(s)
	if strings.IndexByte(s, '\\') >= 0 {
		f.ends(unescape(s))
		f.ends(strings.ReplaceAll(s, `\`, ""))
	}
	before, rest, found := strings.Cut(s, `"`)
	if !found {
		return
	}
	inside, behind, _ := strings.Cut(rest, `"`)
	for _, s := range []string{strings.ReplaceAll(s, `"`, ""), inside, rest, before, behind, strings.Trim(s, `"`), inside + behind} {
		f.ends(s)
	}
}

// ends adds s, and s up to each character that might end it.
func (f *forms) ends(s string) {
	f.add(s)
	f.add(strings.Trim(s, " \t"))
	f.add(strings.ReplaceAll(s, "\x00", ""))
	f.add(strings.Map(onlyName, s))
	trimmed := strings.TrimLeft(s, " \t")
	for _, end := range [...]string{" ", "\t", ";", ",", "(", "\x00", "'"} {
		if before, behind, found := strings.Cut(trimmed, end); found {
			f.add(before)
			f.add(strings.Trim(behind, " \t"))
		}
	}
}

// dropFolds takes out line ends with the blanks after them.
func dropFolds(s string) string {
	lines := strings.FieldsFunc(s, func(r rune) bool { return r == '\r' || r == '\n' })
	for i := range lines {
		lines[i] = strings.Trim(lines[i], " \t")
	}
	return strings.Join(lines, "")
}

func firstLine(s string) string {
	if i := strings.IndexAny(s, "\r\n"); i >= 0 {
		return s[:i]
	}
	return s
}
