package moving

import (
	"fmt"
	"slices"
	"strings"
)

// writing is a configuration in the making.
type writing struct {
	top    section
	tables []*section
	rules  []*section
}

// section is a table of the configuration.
type section struct {
	head string // as it is written
	rows []setRow
}

// setRow is one line, with where it comes from.
type setRow struct{ key, value, origin string }

// entry is a value of a list with where it comes from.
type entry struct{ value, origin string }

// table returns a table, and adds it if need be.
func (w *writing) table(name string) *section {
	head := "[" + name + "]"
	if i := slices.IndexFunc(w.tables, func(s *section) bool { return s.head == head }); i >= 0 {
		return w.tables[i]
	}
	w.tables = append(w.tables, &section{head: head})
	return w.tables[len(w.tables)-1]
}

// add returns a new table of an array.
func (w *writing) add(name string) *section {
	s := &section{head: "[[" + name + "]]"}
	w.tables = append(w.tables, s)
	return s
}

// rule returns a new rule.
func (w *writing) rule(name, origin string) *section {
	s := &section{head: "[[rule]]"}
	w.rules = append(w.rules, s)
	s.set("name", name, origin)
	return s
}

// set writes a text.
func (s *section) set(key, value, origin string) { s.raw(key, quoted(value), origin) }

// raw writes a value that is in the form of TOML already.
func (s *section) raw(key, value, origin string) {
	s.rows = append(s.rows, setRow{key, value, origin})
}

// words writes a list whose values have one origin.
func (s *section) words(key string, values []string, origin string) {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = quoted(v)
	}
	s.raw(key, "["+strings.Join(texts, ", ")+"]", origin)
}

// entries writes a list whose values each have an origin, one on each line.
func (s *section) entries(key string, values []entry, origin string) {
	var b strings.Builder
	b.WriteString("[  # " + oneLine(origin) + "\n")
	for _, v := range values {
		fmt.Fprintf(&b, "  %s,  # %s\n", quoted(v.value), oneLine(v.origin))
	}
	b.WriteString("]")
	s.raw(key, b.String(), origin)
}

// text returns the whole configuration.
func (w *writing) text(program string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Made of the configuration of %s by \"milterscan import\". Each line names its origin;\n"+
		"# report.txt says what became of every setting.\n\n", program)
	w.top.write(&b)
	for _, s := range w.tables {
		s.write(&b)
	}
	for _, s := range w.rules {
		s.write(&b)
	}
	return b.String()
}

// write writes the table unless it is empty.
func (s *section) write(b *strings.Builder) {
	if len(s.rows) == 0 {
		return
	}
	if s.head != "" {
		fmt.Fprintln(b, s.head)
	}
	for _, r := range s.rows {
		fmt.Fprintf(b, "%s = %s  # %s\n", r.key, r.value, oneLine(r.origin))
	}
	fmt.Fprintln(b)
}

// quoted returns a text as TOML writes it.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range strings.ToValidUTF8(s, "\ufffd") {
		switch {
		case r == '"' || r == '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, "\\u%04X", r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// inline returns a table on one line.
func inline(pairs [][2]string) string {
	texts := make([]string, len(pairs))
	for i, p := range pairs {
		texts[i] = quoted(p[0]) + " = " + quoted(p[1])
	}
	return "{ " + strings.Join(texts, ", ") + " }"
}
