package auth

import "github.com/milterscan/milterscan/scan"

// word is the scanner of all findings of this package.
const word = "auth"

// rule is the name of a finding without the scanner's word.
type rule string

// The findings whose names do not follow from a result.
const (
	ruleResults    rule = "results"
	ruleTwoAuthors rule = "two-authors"
)

// entry is a line of the catalogue.
type entry struct {
	rule  rule
	kind  scan.Kind
	about string
}

var catalogue = []entry{
	{"spf-pass", scan.Note, "The client may send for the sender's domain."},
	{"spf-fail", scan.Suspicious, "The sender's domain says that this client may not send for it."},
	{"spf-softfail", scan.Note, "The sender's domain says that this client should not send for it."},
	{"spf-neutral", scan.Note, "The sender's domain says nothing about this client."},
	{"spf-none", scan.Note, "The sender has no domain, or one that publishes no SPF record."},
	{"spf-permerror", scan.Note, "The SPF record of the sender's domain cannot be used."},
	{"spf-temperror", scan.Failed, "The SPF record of the sender's domain could not be had."},
	{"dkim-pass", scan.Note, "A domain answers for the message with a valid signature."},
	{"dkim-fail", scan.Note, "The message is not the one that was signed; mailing lists do that."},
	{"dkim-none", scan.Note, "The message has no signature."},
	{"dkim-permerror", scan.Note, "A signature or its key cannot be used."},
	{"dkim-temperror", scan.Failed, "The key of a signature could not be had."},
	{"dmarc-pass", scan.Note, "SPF or DKIM speaks for the domain in the From field."},
	{"dmarc-fail", scan.Note, "Nothing speaks for the domain in the From field, which asks for nothing to be done."},
	{"dmarc-quarantine", scan.Suspicious, "Nothing speaks for the domain in the From field, which asks for such mail to be set aside."},
	{"dmarc-reject", scan.Suspicious, "Nothing speaks for the domain in the From field, which asks for such mail to be refused."},
	{"dmarc-none", scan.Note, "The domain in the From field has no DMARC policy."},
	{"dmarc-permerror", scan.Note, "There is no domain in the From field, or its DMARC policy cannot be used."},
	{"dmarc-temperror", scan.Failed, "What DMARC needs to know could not be had."},
	{ruleTwoAuthors, scan.Suspicious, "The From field can be read as one of several domains, so that none of them can be asked about."},
	{ruleResults, scan.Note, "All results, as the field Authentication-Results shows them."},
}

// Catalogue lists everything this scanner reports.
func Catalogue() []scan.Rule {
	list := []scan.Rule{{Name: scan.FailedRule(word), Kind: scan.Failed, About: "The checks of the sender did not come to an end."}}
	for _, e := range catalogue {
		list = append(list, scan.Rule{Name: word + "/" + string(e.rule), Kind: e.kind, About: e.about})
	}
	return list
}

// found returns the finding of a rule.
func (s *Scanner) found(r rule, detail string) scan.Finding {
	return scan.Finding{
		Kind:    kinds[r],
		Scanner: word,
		Rule:    word + "/" + string(r),
		Part:    scan.WholeMessage,
		Detail:  detail,
		Score:   s.config.Scores[string(r)],
	}
}

// kinds is the kind of each rule.
var kinds = func() map[rule]scan.Kind {
	m := map[rule]scan.Kind{}
	for _, e := range catalogue {
		m[e.rule] = e.kind
	}
	return m
}()
