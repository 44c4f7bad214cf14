package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan"
)

// Limits of what is filled in.
const (
	maxDetail = 900 // a line of a header has at most 998 bytes (RFC 5322, section 2.1.1)
	maxBar    = 50
)

// headers are the fields a ground adds, with what stands in braces filled in:
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
	fill := f.filler(g)
	var list []HeaderField
	for _, h := range g.outcome.Headers {
		list = append(list, HeaderField{h.Name, fill.Replace(h.Value)})
	}
	return list
}

func (f *facts) filler(g ground) *strings.Replacer {
	name, detail, client := g.rule.Ref.Name, "", ""
	if g.subject != itself {
		name, detail = f.in.Found[g.subject].Rule, f.in.Found[g.subject].Detail
	}
	if a := f.in.Envelope.Client.Addr(); a.IsValid() {
		client = a.String()
	}
	return strings.NewReplacer(
		"{rule}", printable(name, maxHeaderValue),
		"{detail}", printable(detail, maxDetail),
		"{id}", printable(f.in.ID, maxName),
		"{score}", fmt.Sprintf("%.1f", f.score),
		"{bar}", strings.Repeat("*", min(max(int(f.score), 0), maxBar)),
		"{scored}", printable(scored(f.in.Found), maxDetail),
		"{client}", client,
		"{user}", cmp.Or(printable(f.in.Envelope.AuthUser, maxName), "-"),
	)
}

// scored lists the findings that have a score, the highest first.
func scored(found []scan.Finding) string {
	sums := map[string]float64{}
	for _, f := range found {
		if f.Score != 0 && f.Score-f.Score == 0 {
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
