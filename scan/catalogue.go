package scan

import "slices"

// Rule describes one finding a scanner can make: the entry of the catalogue
// after docs/findings.md. A name may end in "/*" where the rest comes from
// outside, such as a virus name.
type Rule struct {
	Name  string // scanner/name
	Kind  Kind
	About string // one sentence for the administrator
}

// Entry returns the rule that NewCatalogue gives a scanner's word.
func Entry[N ~string](name N, k Kind, about string) Rule { return Rule{string(name), k, about} }

// Catalogue lists everything that a scanner reports.
type Catalogue []Rule

// NewCatalogue lists the rules of the scanner of that name, to which it gives the word
// that all its findings have, and its failure, of which failed says what it means.
func NewCatalogue(scanner, word, failed string, rules ...Rule) Catalogue {
	for i, r := range rules {
		rules[i].Name = word + "/" + r.Name
	}
	return append(rules, Rule{FailedRule(scanner), Failed, failed})
}

// Rules returns a copy, for those who want to sort or change it.
func (c Catalogue) Rules() []Rule { return slices.Clone(c) }

// Has reports whether there is a rule of that name, other than the failure of the
// scanner as a whole, which has no score.
func (c Catalogue) Has(name string) bool {
	return name != FailedRule(category(name)) && slices.ContainsFunc(c, func(r Rule) bool { return r.Name == name })
}

// Finding returns a finding of a rule, which must be there: a scanner reports nothing
// that its catalogue does not list.
func (c Catalogue) Finding(name string, part int, detail string) Finding {
	i := slices.IndexFunc(c, func(r Rule) bool { return r.Name == name })
	return Finding{Kind: c[i].Kind, Scanner: category(name), Rule: name, Part: part, Detail: detail}
}
