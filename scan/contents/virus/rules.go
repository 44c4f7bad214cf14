package virus

import (
	"fmt"
	"strings"

	"github.com/milterscan/milterscan/scan"
)

// The rules that are not virus names.
const (
	ruleTooBig    = word + "/too-big"
	ruleLimits    = word + "/limits-exceeded"
	ruleEncrypted = word + "/encrypted"
	ruleBackup    = word + "/backup"

	ruleSuspicious = word + "/suspicious/" // and what follows
)

// Catalogue lists everything the engines report.
func Catalogue() []scan.Rule {
	return []scan.Rule{
		{Name: ruleTooBig, Kind: scan.Unscannable,
			About: "A part is larger than the engine takes; it was only searched in pieces, which finds nothing that is packed " +
				"or known by its hash."},
		{Name: ruleLimits, Kind: scan.Unscannable, About: "The engine reached one of its limits and did not look at everything."},
		{Name: ruleEncrypted, Kind: scan.Unscannable, About: "The engine found content that it cannot read without a password."},
		{Name: ruleBackup, Kind: scan.Note, About: "An engine failed, and its backup looked in its place."},
		{Name: ruleSuspicious + "*", Kind: scan.Suspicious,
			About: "An engine whose verdict is \"suspicious\" knows the content; the rest of the name is the rule."},
		{Name: scan.PendingRule(word + "/*"), Kind: scan.Failed,
			About: "The engine of that name looks at the content, and has not come to a verdict in time; asked again later it may have."},
		{Name: word + "/failed/*", Kind: scan.Failed, About: "The engine of that name gave no usable answer in time."},
		{Name: word + "/*", Kind: scan.Infected, About: "The engine knows the content as malicious; the rest of the name is its signature."},
	}
}

// found returns the finding for a signature that an engine reported. Engines also use
// signatures to say that they did not look: those are no viruses.
func found(engine, signature string, part int) scan.Finding {
	f := scan.Finding{
		Kind:    scan.Infected,
		Scanner: word,
		Rule:    word + "/" + sanitised(signature),
		Part:    part,
		Detail:  fmt.Sprintf("%s: %s", engine, strings.ToValidUTF8(signature, "?")),
	}
	switch {
	case strings.HasPrefix(signature, "Heuristics.Limits.Exceeded"):
		f.Kind, f.Rule = scan.Unscannable, ruleLimits
	case strings.HasPrefix(signature, "Heuristics.Encrypted"):
		f.Kind, f.Rule = scan.Unscannable, ruleEncrypted
	}
	return f
}

// tooBig returns the finding for a part that the engine does not take whole.
func tooBig(engine string, part int, size int64) scan.Finding {
	return scan.Finding{
		Kind:    scan.Unscannable,
		Scanner: word,
		Rule:    ruleTooBig,
		Part:    part,
		Detail:  fmt.Sprintf("%s: %d bytes are more than it takes", engine, size),
	}
}

// longestSignature is more than any database uses.
const longestSignature = 120

// sanitised makes a signature fit to be part of a rule name: printable ASCII
// without blanks and slashes.
func sanitised(signature string) string {
	s := strings.Map(func(r rune) rune {
		if unfit(r) || r == '/' {
			return '_'
		}
		return r
	}, signature)
	if s == "" {
		return unnamed
	}
	return s[:min(len(s), longestSignature)]
}

// unfit reports whether a rune may not be part of a name.
func unfit(r rune) bool { return r <= ' ' || r > '~' }
