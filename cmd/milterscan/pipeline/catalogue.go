package pipeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/open/unpack"
)

// Catalogue lists every finding that can be made, by name.
func Catalogue() []scan.Rule {
	all := slices.Concat(unpack.Catalogue(), judge.Catalogue())
	for _, row := range roster() {
		all = append(all, row.finds()...)
	}
	slices.SortFunc(all, func(a, b scan.Rule) int { return cmp.Compare(a.Name, b.Name) })
	return slices.CompactFunc(all, func(a, b scan.Rule) bool { return a.Name == b.Name })
}

// examples returns what a finding looks like in a mail, for those whose name does
// not say it.
func examples() map[string]string {
	of := map[string]string{}
	for _, c := range entity.Codes() {
		of["mime/"+c.Code] = c.Example
	}
	for _, c := range archive.Codes() {
		of["archive/"+c.Code] = c.Example
	}
	return of
}

// ExampleOf returns what a finding looks like in a mail, "" where its name says it.
func ExampleOf(finding string) string { return examples()[finding] }

// CatalogueText returns docs/findings.md.
func CatalogueText() string {
	var b strings.Builder
	b.WriteString(`# Findings

A finding is one fact about a message: what was seen, never what to do about it. Rules name findings in "when", by name, by a pattern such as
"attachment/*", or by kind.

| kind | means |
|---|---|
| note | worth saying, harmless |
| malformed | untidy; all clients show the same |
| ambiguous | some client shows something else than others; every reading is scanned |
| suspicious | often, not always, made to harm |
| forbidden | a kind of file that is not accepted |
| infected | an engine knows it |
| unscannable | not examined, and trying again will not help |
| failed | not examined, and trying again may help |

Where all readings of a message show the same parts, a finding listed as ambiguous is reported as malformed.
A message with an "unscannable" or "failed" finding is not complete: nobody can say that it is clean.
`)
	word := ""
	example := examples()
	for _, r := range Catalogue() {
		if w, _, _ := strings.Cut(r.Name, "/"); w != word {
			word = w
			fmt.Fprintf(&b, "\n## %s\n\n| finding | kind | about | example |\n|---|---|---|---|\n", word)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.Name, r.Kind, cell(r.About), cell(example[r.Name]))
	}
	return b.String()
}

// cell returns text that can be in a table.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\r", `\r`, "\n", `\n`).Replace(s)
}
