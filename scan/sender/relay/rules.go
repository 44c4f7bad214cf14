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

var catalogue = scan.NewCatalogue(word, word, "No resolver could be asked about the client or the sender's domain.",
	scan.Entry(ruleNoDomain, scan.Forbidden, "The sender's domain does not exist, so that no answer could be delivered."),
	scan.Entry(ruleNullMX, scan.Forbidden, "The sender's domain says that it takes no mail (RFC 7505)."),
	scan.Entry(ruleUnknown, scan.Failed, "The name servers of the sender's domain do not say whether it exists."),
	scan.Entry(ruleHeloOdd, scan.Suspicious, "The client's HELO is no host name and no address (RFC 5321, section 4.1.3)."),
	scan.Entry(ruleHeloLocal, scan.Note, "The client's HELO is a name without a domain."),
	scan.Entry(ruleHeloForged, scan.Suspicious, "The client's HELO is a name of ours, or an address that is not the client's."),
	scan.Entry(ruleNoName, scan.Note, "The client's address has no name in DNS."),
	scan.Entry(ruleForged, scan.Suspicious, "The client's address has names in DNS, but none of them has the address."),
	scan.Entry(ruleConnections, scan.Suspicious, "The client has more connections open than one client may have."),
)

// Catalogue lists everything this scanner reports.
func Catalogue() []scan.Rule { return catalogue.Rules() }

// found returns the finding of a rule.
func (s *Scanner) found(r rule, detail string) []scan.Finding {
	f := catalogue.Finding(word+"/"+string(r), scan.WholeMessage, detail)
	f.Score = s.config.Scores[string(r)]
	return []scan.Finding{f}
}
