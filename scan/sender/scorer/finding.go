package scorer

import (
	"fmt"

	"github.com/milterscan/milterscan/scan"
)

// Word is the word of scorers, which their findings begin with.
const Word = "spam"

// The findings with the scores of engines.
const (
	SpamAssassin = Word + "/spamassassin"
	Rspamd       = Word + "/rspamd"
)

// Opinions returns the names of the findings with the scores of engines.
func Opinions() []string { return []string{SpamAssassin, Rspamd} }

// RuleTooLarge is the finding about a message that a scorer is not asked about.
const RuleTooLarge = Word + "/not-scored"

// Catalogue lists the findings that every scorer reports alike.
func Catalogue() []scan.Rule {
	return []scan.Rule{
		{Name: RuleTooLarge, Kind: scan.Note, About: "The message is too large for the scorer that the detail names to be asked about it."},
		{Name: Word + "/failed/*", Kind: scan.Failed,
			About: "The scorer or DNS list of that name gave no usable answer; a list that is off says why."},
	}
}

// Note returns a finding about the message as a whole.
func Note(rule, detail string) scan.Finding {
	return scan.Finding{Kind: scan.Note, Scanner: Word, Rule: rule, Part: scan.WholeMessage, Detail: detail}
}

// Opinion returns the finding with the score that an engine gives the message.
func Opinion(rule string, score float64, detail string) scan.Finding {
	f := Note(rule, detail)
	f.Score, f.Opinion = score, true
	return f
}

// TooLarge returns the finding about a message that a scorer is not asked about.
func TooLarge(engine string, size int64) scan.Finding {
	return Note(RuleTooLarge, fmt.Sprintf("%s: %d bytes", engine, size))
}

// Believable reports whether a score is a number that rules could add up to.
func Believable(score float64) bool { return score > -1e6 && score < 1e6 }
