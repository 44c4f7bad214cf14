package contact

import "github.com/milterscan/milterscan/scan"

// word is the scanner of all findings of this package, and name the scanner's own.
const (
	word = "content"
	name = word + "/contact"
)

// The findings.
const (
	first = "first-contact"
	some  = "first-contact-some"
	reply = "reply"
)

var catalogue = scan.NewCatalogue(name, word,
	"Who has written to whom could not be looked up: its database does not answer.",
	scan.Entry(first, scan.Note, "The recipient has had no mail from the author before, and has written none to the author."),
	scan.Entry(some, scan.Note, "Some of the recipients have had no mail from the author before, and others have."),
	scan.Entry(reply, scan.Note, "The mail answers one that the recipient has sent."),
)

// Catalogue lists everything this scanner reports.
func Catalogue() []scan.Rule { return catalogue.Rules() }

// found returns a finding about one recipient, or, if to is empty, the message.
func found(rule, to, detail string) scan.Finding {
	f := catalogue.Finding(word+"/"+rule, scan.WholeMessage, detail)
	f.Recipient = to
	return f
}
