package bounce

import "github.com/milterscan/milterscan/scan"

// word is the scanner of all findings of this package.
const word = "bounce"

// The findings.
const (
	// Marked is about mail that goes out; what it says is the mark.
	Marked = word + "/mark"

	ours    = word + "/ours"
	notOurs = word + "/not-ours"
	forged  = word + "/forged-mark"
	expired = word + "/expired-mark"
	answer  = word + "/answer"
)

var catalogue = scan.Catalogue{
	{Name: scan.FailedRule(word), Kind: scan.Failed, About: "The keys for marks could not be read, or the message could not."},
	{Name: Marked, Kind: scan.Note, About: "The mail goes out with this mark, by which its bounces are recognised."},
	{Name: ours, Kind: scan.Note, About: "A bounce quotes mail that the recipient has sent."},
	{Name: notOurs, Kind: scan.Suspicious, About: "A bounce, or other mail from the null sender, quotes no marked " +
		"mail: the recipient has sent none."},
	{Name: forged, Kind: scan.Suspicious, About: "A bounce quotes a mark that we did not make, or " +
		"made for another sender than the recipient."},
	{Name: expired, Kind: scan.Suspicious, About: "A bounce quotes mail of ours that was sent too long ago."},
	{Name: answer, Kind: scan.Note, About: "The mail is an automatic answer or a receipt from the null sender; these quote no mark."},
}

// Catalogue lists everything this scanner reports.
func Catalogue() []scan.Rule { return catalogue.Rules() }

// found returns a finding about one recipient, or, if to is empty, the message.
func found(rule, to, detail string) scan.Finding {
	f := catalogue.Finding(rule, scan.WholeMessage, detail)
	f.Recipient = to
	return f
}
