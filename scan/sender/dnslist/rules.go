package dnslist

import (
	"fmt"
	"strings"

	"github.com/milterscan/milterscan/scan"
)

// word is the scanner of all findings of this package.
const word = "spam"

// Catalogue lists everything DNS lists report.
func Catalogue() []scan.Rule {
	return []scan.Rule{
		{Name: word + "/list/*", Kind: scan.Suspicious, About: "The DNS list of that name has an entry for a host or domain of the message."},
		{Name: word + "/allow/*", Kind: scan.Note, About: "The allow list of that name has an entry for the message; other lists do not count."},
		{Name: word + "/failed/*", Kind: scan.Failed,
			About: "The scorer or DNS list of that name gave no usable answer; a list that is off says why."},
		{Name: word + "/many-names", Kind: scan.Note, About: "The message holds more hosts and domains than are looked up in lists."},
	}
}

// shown is how many entries a finding names.
const shown = 3

// found returns the finding for the entries of a list. The score counts once, however
// many there are.
func (l *list) found(entries []entry) scan.Finding {
	f := scan.Finding{Kind: scan.Suspicious, Scanner: word, Rule: word + "/list/" + l.Name, Part: scan.WholeMessage, Score: l.Score}
	if l.Allow {
		f.Kind, f.Rule = scan.Note, word+"/allow/"+l.Name
	}
	var texts []string
	for _, e := range entries[:min(len(entries), shown)] {
		texts = append(texts, fmt.Sprintf("%s (%v)", e.subject.text, e.code))
	}
	if more := len(entries) - len(texts); more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	f.Detail = fmt.Sprintf("%s %s in %s", l.Lookup, strings.Join(texts, ", "), l.Zone)
	return f
}

// failed returns the finding for a list that does not say.
func (l *list) failed(err error) scan.Finding {
	return scan.Finding{Kind: scan.Failed, Scanner: word, Rule: word + "/failed/" + l.Name, Part: scan.WholeMessage, Detail: err.Error()}
}

func manyNames(l *list) scan.Finding {
	return scan.Finding{
		Kind: scan.Note, Scanner: word, Rule: word + "/many-names", Part: scan.WholeMessage,
		Detail: fmt.Sprintf("%d of kind %s were looked up, the rest was not", maxSubjects, l.Lookup),
	}
}
