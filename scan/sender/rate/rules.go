package rate

import (
	"fmt"

	"github.com/milterscan/milterscan/scan"
)

// word is the scanner of all findings of this package.
const word = "rate"

// over is what findings about a limit begin with.
const over = word + "/over/"

// localRule says that one host counts for itself.
const localRule = word + "/local"

// Catalogue lists everything this scanner reports.
func Catalogue() []scan.Rule {
	return []scan.Rule{
		{Name: over + "*", Kind: scan.Suspicious, About: "The limit of that name is reached: more recipients " +
			"than it allows within its time."},
		{Name: localRule, Kind: scan.Note, About: "What hosts share could not be asked; this host counts for itself, and " +
			"lets its part of each limit through."},
		{Name: scan.FailedRule(word), Kind: scan.Failed, About: "The database of rate limits could not be read or written."},
	}
}

// found returns the finding that a recipient is one too many.
func (l Limit) found(to, detail string) scan.Finding {
	return scan.Finding{Kind: scan.Suspicious, Scanner: word, Rule: over + l.Name, Part: scan.WholeMessage, Detail: detail, Recipient: to}
}

// local returns the finding that this host counts for itself.
func local(to string, hosts int, why error) scan.Finding {
	return scan.Finding{Kind: scan.Note, Scanner: word, Rule: localRule, Part: scan.WholeMessage, Recipient: to,
		Detail: fmt.Sprintf("each of %d hosts counts for itself: %v", hosts, why)}
}
