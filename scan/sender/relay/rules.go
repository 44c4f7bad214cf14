package relay

import "github.com/milterscan/milterscan/scan"

// word is the scanner of all findings of this package.
const word = "relay"

// rule is the name of a finding without the scanner's word.
type rule string

// The findings.
const (
	ruleNoDomain    rule = "sender-domain"
	ruleNullMX      rule = "null-mx"
	ruleUnknown     rule = "sender-unverified"
	ruleHeloOdd     rule = "helo-malformed"
	ruleHeloLocal   rule = "helo-unqualified"
	ruleHeloForged  rule = "helo-forged"
	ruleNoName      rule = "no-reverse-dns"
	ruleForged      rule = "forged-reverse-dns"
	ruleConnections rule = "connections"
)

// entry is a line of the catalogue.
type entry struct {
	rule  rule
	kind  scan.Kind
	about string
}

var catalogue = []entry{
	{ruleNoDomain, scan.Forbidden, "The sender's domain does not exist, so that no answer could be delivered."},
	{ruleNullMX, scan.Forbidden, "The sender's domain says that it takes no mail (RFC 7505)."},
	{ruleUnknown, scan.Failed, "The sender's domain exists or not: its name servers do not say."},
	{ruleHeloOdd, scan.Suspicious, "What the client calls itself is no host name and no address (RFC 5321, section 4.1.3)."},
	{ruleHeloLocal, scan.Note, "What the client calls itself is a name without a domain."},
	{ruleHeloForged, scan.Suspicious, "The client gives itself a name of ours, or an address that is not its own."},
	{ruleNoName, scan.Note, "The client's address has no name in DNS."},
	{ruleForged, scan.Suspicious, "The client's address claims names that do not have it."},
	{ruleConnections, scan.Suspicious, "The client has more connections open than one may."},
}

// Catalogue lists everything this scanner reports.
func Catalogue() []scan.Rule {
	list := []scan.Rule{{Name: scan.FailedRule(word), Kind: scan.Failed,
		About: "No resolver could be asked about the client or the sender's domain."}}
	for _, e := range catalogue {
		list = append(list, scan.Rule{Name: word + "/" + string(e.rule), Kind: e.kind, About: e.about})
	}
	return list
}

// found returns the finding of a rule.
func (s *Scanner) found(r rule, detail string) []scan.Finding {
	return []scan.Finding{{
		Kind:    kindOf(r),
		Scanner: word,
		Rule:    word + "/" + string(r),
		Part:    scan.WholeMessage,
		Detail:  detail,
		Score:   s.config.Scores[string(r)],
	}}
}

func kindOf(r rule) scan.Kind {
	for _, e := range catalogue {
		if e.rule == r {
			return e.kind
		}
	}
	return scan.Note
}
