package rate

import "github.com/milterscan/milterscan/scan"

// word is the scanner of all findings of this package.
const word = "rate"

// over is what findings about a limit begin with.
const over = word + "/over/"

// Catalogue lists everything this scanner reports.
func Catalogue() []scan.Rule {
	return []scan.Rule{
		{Name: over + "*", Kind: scan.Suspicious, About: "The limit of that name is reached: more recipients " +
			"than it allows within its time."},
		{Name: scan.FailedRule(word), Kind: scan.Failed, About: "The database of rate limits could not be read or written."},
	}
}

// found returns the finding that a recipient is one too many.
func (l Limit) found(to, detail string) scan.Finding {
	return scan.Finding{Kind: scan.Suspicious, Scanner: word, Rule: over + l.Name, Part: scan.WholeMessage, Detail: detail, Recipient: to}
}
