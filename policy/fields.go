package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan"
)

// Limits of the values filled in.
const (
	maxDetail = 900 // a line of a header has at most 998 bytes (RFC 5322, section 2.1.1)
	maxBar    = 50
)

// headers returns the fields a ground adds, with the words in braces replaced:
//
//	{rule}    the finding's rule; without a finding, the name of this one
//	{detail}  what the finding says
//	{id}      the message's id
//	{score}   the scores of all findings added up: "4.5"
//	{bar}     a star for each whole point of it
//	{scored}  the findings that have a score, the highest first: "spam/list/bl=3, content/link-bad=1.5"
//	{client}  the client's address
//	{user}    the login name; "-" for none
func (f *facts) headers(g ground) []HeaderField {
	if len(g.outcome.Headers) == 0 {
		return nil
	}
	key := fill{outcome: g.outcome, subject: g.subject}
	if g.subject == itself { // the name of the rule is filled in, and an Else may be that of several
		key.rule = g.rule
	}
	list, ok := f.filled[key]
	if !ok {
		list = f.fill(g)
		f.filled[key] = list
	}
	return list
}

// fill is what headers depend on.
type fill struct {
	outcome *Outcome
	subject int
	rule    *rule // for the message itself
}

// fill fills in the headers of a ground: once, or for each member of its group
// where they show what a finding says.
func (f *facts) fill(g ground) []HeaderField {
	findings := []int{f.firstOf(g)}
	if g.subject != itself && slices.ContainsFunc(g.outcome.Headers, HeaderField.showsDetail) {
		findings = slices.Clone(f.groups[g.subject].members)
		slices.SortFunc(findings, f.compareFindings)
		findings = findings[:min(len(findings), maxHeaders)]
	}
	var list []HeaderField
	for _, i := range findings {
		for _, h := range g.outcome.Headers {
			list = addNew(list, HeaderField{h.Name, f.fillIn(h.Value, g.rule.Ref.Name, i)})
		}
	}
	return list
}

func (h HeaderField) showsDetail() bool { return strings.Contains(h.Value, "{detail}") }

// fillIn replaces the words in braces. Other braces stay.
func (f *facts) fillIn(text, rule string, finding int) string {
	var b strings.Builder
	for {
		before, after, opened := strings.Cut(text, "{")
		name, rest, closed := strings.Cut(after, "}")
		if !opened || !closed {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(before)
		if value, ok := f.word(name, rule, finding); ok {
			b.WriteString(value)
			text = rest
		} else {
			b.WriteByte('{')
			text = after
		}
	}
}

// word returns what a word in braces stands for, false if it is none.
func (f *facts) word(name, rule string, finding int) (value string, ok bool) {
	switch {
	case name == "rule" && finding != itself:
		return printable(f.in.Found[finding].Rule, maxHeaderValue), true
	case name == "rule":
		return printable(rule, maxHeaderValue), true
	case name == "detail" && finding != itself:
		return printable(f.in.Found[finding].Detail, maxDetail), true
	case name == "detail":
		return "", true
	}
	if value, ok = f.common[name]; ok {
		return value, true
	}
	if value, ok = f.commonWord(name); ok {
		if f.common == nil {
			f.common = map[string]string{}
		}
		f.common[name] = value
	}
	return value, ok
}

// commonWord returns what a word stands for that does not depend on the finding.
func (f *facts) commonWord(name string) (value string, ok bool) {
	switch name {
	case "id":
		return printable(f.in.ID, maxName), true
	case "score":
		return fmt.Sprintf("%.1f", f.score), true
	case "bar":
		return strings.Repeat("*", min(max(int(f.score), 0), maxBar)), true
	case "scored":
		return printable(scored(f.in.Found), maxDetail), true
	case "client":
		if a := f.in.Envelope.Client.Addr(); a.IsValid() {
			return a.String(), true
		}
		return "", true
	case "user":
		return cmp.Or(printable(f.in.Envelope.AuthUser, maxName), "-"), true
	}
	return "", false
}

// scored lists the findings that make the score, the highest first.
func scored(found []scan.Finding) string {
	sums := map[string]float64{}
	best := highestOpinion(found)
	for i, f := range found {
		if counted(f) != 0 && (!f.Opinion || i == best) {
			sums[f.Rule] += f.Score
		}
	}
	var list []string
	for rule, sum := range sums {
		list = append(list, fmt.Sprintf("%s=%.4g", rule, sum))
	}
	slices.SortFunc(list, func(a, b string) int {
		ra, _, _ := strings.Cut(a, "=")
		rb, _, _ := strings.Cut(b, "=")
		return cmp.Or(cmp.Compare(sums[rb], sums[ra]), strings.Compare(a, b))
	})
	return strings.Join(list, ", ")
}
