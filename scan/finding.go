package scan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Kind is the nature of a finding, and what a policy looks at first.
type Kind int

// The kinds, mildest first. Unscannable and Failed are the two ways of not
// knowing: Unscannable is a property of the message, so trying again never
// helps; Failed is a property of the moment, so it may.
const (
	Note Kind = iota
	Malformed
	Ambiguous
	Suspicious
	Forbidden
	Infected
	Unscannable
	Failed
)

var kindNames = [...]string{"note", "malformed", "ambiguous", "suspicious", "forbidden", "infected", "unscannable", "failed"}

// String returns the kind as rules, logs and reports write it.
func (k Kind) String() string { return nameOf(kindNames[:], int(k)) }

// ParseKind returns the reverse of String.
func ParseKind(s string) (Kind, bool) {
	i := slices.Index(kindNames[:], s)
	return Kind(i), i >= 0
}

// MarshalText makes a kind a word in JSON and TOML.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText returns the reverse of MarshalText.
func (k *Kind) UnmarshalText(text []byte) error {
	kind, ok := ParseKind(string(text))
	if !ok {
		return fmt.Errorf("%q is not a kind of finding; there are %s", text, strings.Join(kindNames[:], ", "))
	}
	*k = kind
	return nil
}

// ErrHost says that an error comes from this host at this moment – it had no process,
// memory, descriptor or time left – and not from the message: content that could not
// be examined for it is Failed, never Unscannable.
var ErrHost = errors.New("this host cannot do it now")

// WholeMessage is the Part of a finding that concerns no single part.
const WholeMessage = -1

// Finding is one fact about a message: what was seen, never what to do about
// it.
type Finding struct {
	Kind    Kind
	Scanner string  // mime, archive, virus, attachment, content, spam, auth, relay, greylist, bounce, rate, recipient, feed
	Rule    string  // scanner/name, as docs/findings.md lists it
	Part    int     // index into Message.Parts, or WholeMessage
	Detail  string  // for the log and the administrator; may quote the message
	Score   float64 // added up for rules on the score
	// Opinion says that the score is what an engine thinks of the message as a whole. Of
	// several opinions only the highest counts: they are about the same things.
	Opinion bool
	// Recipient is the only recipient that the finding is about, as the envelope has
	// it; "" for all recipients.
	Recipient string
	// Job is the name under which the scanner can be asked later for a verdict that it has not come to; "" for none.
	// It is for the copy of a message, and appears in no answer.
	Job string
}

// Incomplete reports whether any finding says that something was not examined.
func Incomplete(found []Finding) bool {
	return slices.ContainsFunc(found, func(f Finding) bool { return f.Kind >= Unscannable })
}

// category returns the scanner word of a scanner's name: "virus" of "virus/clam1".
func category(name string) string {
	word, _, _ := strings.Cut(name, "/")
	return word
}

// FailedRule returns the rule under which a failure of the named scanner is
// reported: "virus/failed/clam1" for "virus/clam1", "attachment/failed" for
// "attachment".
func FailedRule(scanner string) string {
	word, instance, several := strings.Cut(scanner, "/")
	if several {
		return word + "/failed/" + instance
	}
	return word + "/failed"
}

// PendingRule returns the rule under which it is reported that the named scanner has not come to a verdict in
// time, and works on: "virus/pending/sandbox" for "virus/sandbox".
func PendingRule(scanner string) string {
	word, instance, _ := strings.Cut(scanner, "/")
	return word + pendingWord + instance
}

// PendingScanner returns the name of the scanner that a rule of PendingRule is about, "" for any other rule.
func PendingScanner(rule string) string {
	word, instance, ok := strings.Cut(rule, pendingWord)
	if !ok || strings.Contains(word, "/") {
		return ""
	}
	return word + "/" + instance
}

const pendingWord = "/pending/"

func nameOf(names []string, i int) string {
	if i < 0 || i >= len(names) {
		return fmt.Sprintf("unknown-%d", i)
	}
	return names[i]
}
