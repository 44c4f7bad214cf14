package moving

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// headings are the parts of a report, in their order.
var headings = map[How]string{
	Unclear:    "Not understood",
	Impossible: "Not possible, because",
	Differs:    "Taken over with a difference",
	Taken:      "Taken over",
	Needless:   "Not needed, because",
}

// Report returns the text that says what became of every setting.
func (r *Result) Report() string {
	var b strings.Builder
	fmt.Fprintf(&b, "What became of the configuration of %s\n\n", r.Program)
	for how := Unclear; how <= Needless; how++ {
		fmt.Fprintf(&b, "%5d  %s\n", len(r.of(how)), strings.ToLower(strings.TrimSuffix(headings[how], ", because")))
	}
	for how := Unclear; how <= Needless; how++ {
		r.part(&b, how)
	}
	if len(r.Beyond) > 0 {
		fmt.Fprintf(&b, "\nWhat milterscan does besides\n")
		for _, text := range r.Beyond {
			writeWrapped(&b, "  - ", "    ", text)
		}
	}
	fmt.Fprint(&b, "\nNext: \"milterscan check -c milterscan.toml\", and \"milterscan replay\" over "+
		"mail that you kept.\n")
	return b.String()
}

// of returns the notes of one kind, by file and line. Settings that are not needed are sorted by the reason
// first.
func (r *Result) of(how How) []Note {
	list := slices.DeleteFunc(slices.Clone(r.Notes), func(n Note) bool { return n.How != how })
	slices.SortStableFunc(list, func(a, b Note) int {
		if how == Needless {
			if c := strings.Compare(a.Why, b.Why); c != 0 {
				return c
			}
		}
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return list
}

// part writes the notes of one kind.
func (r *Result) part(b *strings.Builder, how How) {
	list := r.of(how)
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", headings[how])
	why := ""
	for _, n := range list {
		if how == Needless && n.Why != why {
			why = n.Why
			writeWrapped(b, "  ", "  ", why+":")
		}
		if how == Needless {
			fmt.Fprintf(b, "      %s\n", n.line())
			continue
		}
		fmt.Fprintf(b, "  %s\n", n.line())
		writeWrapped(b, "      ", "      ", n.Why)
	}
}

// line returns where a setting is, and what it is.
func (n Note) line() string {
	return strings.TrimSpace(n.Place.String() + "  " + oneLine(n.What))
}

// writeWrapped writes a text in lines of at most a hundred characters, where its words allow that.
func writeWrapped(b *strings.Builder, first, next, text string) {
	line := first
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
			line += word
		case len(line)+1+len(word) > 100:
			b.WriteString(line + "\n")
			line = next + word
		default:
			line += " " + word
		}
	}
	b.WriteString(line + "\n")
}

// words are the outcomes for programs.
var words = map[How]string{Unclear: "unclear", Impossible: "impossible", Differs: "differs", Taken: "taken", Needless: "needless"}

// Counts counts what became of the settings, by a word for each outcome.
func (r *Result) Counts() map[string]int {
	counts := map[string]int{}
	for how, word := range words {
		counts[word] = len(r.of(how))
	}
	return counts
}

// Sum counts what became of the settings, in one line.
func (r *Result) Sum() string {
	var parts []string
	for _, how := range []How{Taken, Differs, Needless, Impossible, Unclear} {
		if n := len(r.of(how)); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n,
				strings.ToLower(strings.TrimSuffix(headings[how], ", because"))))
		}
	}
	return strings.Join(parts, ", ")
}
