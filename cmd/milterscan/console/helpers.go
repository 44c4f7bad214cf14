package console

import (
	"html/template"
	"strings"

	"github.com/milterscan/milterscan/cmd/milterscan/console/wording"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

// kindClasses and stateClasses are the words for which the stylesheet has colours.
var (
	kindClasses  = setOf(quarantine.Classes()...)
	stateClasses = setOf(string(quarantine.Kept), string(quarantine.Releasing), string(quarantine.Released))
)

func setOf(words ...string) map[string]string {
	set := map[string]string{}
	for _, w := range words {
		set[w] = w
	}
	return set
}

// known returns a function that returns a word if it is one of a set, and "" for any
// other: records may have words that we do not know.
func known(set map[string]string) func(string) string {
	return func(word string) string {
		if _, ok := set[word]; ok {
			return word
		}
		return ""
	}
}

// firstThree returns the beginning of a list for a cell of a table.
func firstThree(list []string) []string { return list[:min(len(list), 3)] }

// afterThree returns how many more there are, as text; "" for none.
func (v *pages) afterThree(list []string) string {
	if len(list) <= 3 {
		return ""
	}
	return v.locale.number(int64(len(list) - 3))
}

// becauseOf returns the finding that a verdict rests on, nil if it is none.
func becauseOf(g ground, r policy.Record) *placed { return numbered(g.Because, r) }

// findingOf returns the finding that a rule matched, nil if it matched the message.
func findingOf(m policy.RecordMatch, r policy.Record) *placed { return numbered(m.Finding, r) }

func numbered(i int, r policy.Record) *placed {
	if i < 0 || i >= len(r.Findings) {
		return nil
	}
	return &placed{i + 1, r.Findings[i]}
}

// ourNote shows a note in which a locale may have written something.
func ourNote(s string) template.HTML { return isolated(wording.Shown(s)) }

// percentOf returns a number in percent of another, for the width of a bar.
func percentOf(n, of int64) int64 {
	if of <= 0 {
		return 0
	}
	return min(100, 100*n/of)
}

// domainFilter returns the filter that finds the mail of a domain that is counted.
func domainFilter(domain string) string {
	if domain == "<>" {
		return domain
	}
	return "@" + domain
}

// lines shows a text of several lines that comes from a message.
func lines(s string) template.HTML {
	all := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, line := range all {
		cells := strings.Split(line, "\t")
		for j := range cells {
			cells[j] = policy.Visible(cells[j])
		}
		all[i] = template.HTMLEscapeString(strings.Join(cells, "\t"))
	}
	return template.HTML("<bdi>" + strings.Join(all, "\n") + "</bdi>")
}
