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
	ruleTrusted    rule = "arc-trusted"
)

var catalogue = scan.NewCatalogue(word, word, "The checks of the sender failed or took too long.",
	scan.Entry("spf-pass", scan.Note, "The client may send for the sender's domain."),
	scan.Entry("spf-fail", scan.Suspicious, "The sender's domain says that this client may not send for it."),
	scan.Entry("spf-softfail", scan.Note, "The sender's domain says that this client should not send for it."),
	scan.Entry("spf-neutral", scan.Note, "The sender's domain says nothing about this client."),
	scan.Entry("spf-none", scan.Note, "The sender has no domain, or one that publishes no SPF record."),
	scan.Entry("spf-permerror", scan.Note, "The SPF record of the sender's domain cannot be used."),
	scan.Entry("spf-temperror", scan.Failed, "The SPF record of the sender's domain could not be looked up."),
	scan.Entry("dkim-pass", scan.Note, "The message has a valid signature of a domain."),
	scan.Entry("dkim-author", scan.Note, "The message has a valid signature of the domain in the From field, or of one above it."),
	scan.Entry("dkim-fail", scan.Note, "The message was changed after it was signed, as mailing lists do."),
	scan.Entry("dkim-none", scan.Note, "The message has no signature."),
	scan.Entry("dkim-permerror", scan.Note, "A signature or its key cannot be used."),
	scan.Entry("dkim-temperror", scan.Failed, "The key of a signature could not be looked up."),
	scan.Entry("dmarc-pass", scan.Note, "SPF or DKIM confirms the domain in the From field."),
	scan.Entry("dmarc-fail", scan.Note, "Neither SPF nor DKIM confirms the From field's domain, which asks for no action."),
	scan.Entry("dmarc-quarantine", scan.Suspicious,
		"Neither SPF nor DKIM confirms the From field's domain, which asks to set such mail aside."),
	scan.Entry("dmarc-reject", scan.Suspicious, "Neither SPF nor DKIM confirms the From field's domain, which asks to refuse such mail."),
	scan.Entry("dmarc-none", scan.Note, "The domain in the From field has no DMARC policy."),
	scan.Entry("dmarc-permerror", scan.Note, "The From field has no domain, or the domain's DMARC policy cannot be used."),
	scan.Entry("dmarc-temperror", scan.Failed, "The DNS records for DMARC could not be looked up."),
	scan.Entry(ruleTrusted, scan.Note,
		"DMARC fails, but hosts in auth.arc_trusted that passed the message on say that it passed when they got it."),
	scan.Entry("arc-pass", scan.Note,
		"DMARC fails. The message has a valid ARC chain, but no trusted host in it says that DMARC ever passed."),
	scan.Entry("arc-untrusted", scan.Note,
		"DMARC fails. The newest ARC seal is of a domain that is not in auth.arc_trusted; nothing was verified."),
	scan.Entry("arc-fail", scan.Note, "DMARC fails. The message has an ARC chain, which is broken."),
	scan.Entry("arc-temperror", scan.Failed, "DMARC fails. A key of the message's ARC chain could not be looked up."),
	scan.Entry(ruleTwoAuthors, scan.Suspicious, "The From field can be read as different domains, so that DMARC can check none of them."),
	scan.Entry(ruleResults, scan.Note, "All results, as the field Authentication-Results shows them."),
)

// Catalogue lists everything this scanner reports.
func Catalogue() []scan.Rule { return catalogue.Rules() }

// found returns the finding of a rule.
func (s *Scanner) found(r rule, detail string) scan.Finding {
	f := catalogue.Finding(word+"/"+string(r), scan.WholeMessage, detail)
	f.Score = s.config.Scores[string(r)]
	return f
}
