package greylist

import "github.com/milterscan/milterscan/scan"

// word is the scanner of all findings of this package.
const word = "greylist"

// The findings.
const (
	FirstSeen = word + "/first-seen"
	TooEarly  = word + "/too-early"
	CameBack  = word + "/came-back"
)

var catalogue = scan.Catalogue{
	{Name: scan.FailedRule(word), Kind: scan.Failed, About: "The greylist database could not be read or written."},
	{Name: FirstSeen, Kind: scan.Note, About: "The client and the sender have not sent mail to the recipient before, or not for long."},
	{Name: TooEarly, Kind: scan.Note, About: "The client and the sender tried again too soon."},
	{Name: CameBack, Kind: scan.Note, About: "The client and the sender tried again in time, as mail servers do."},
}

// Catalogue lists everything this scanner reports.
func Catalogue() []scan.Rule { return catalogue.Rules() }

// found returns a finding about one recipient.
func found(rule, to, detail string) []scan.Finding {
	f := catalogue.Finding(rule, scan.WholeMessage, detail)
	f.Recipient = to
	return []scan.Finding{f}
}
