package policy

import (
	"math"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan"
)

// itself is the subject that is no finding: the message as such.
const itself = -1

// facts are an Input with what follows from it, worked out once for all rules.
type facts struct {
	in         Input
	local      Local
	ours       map[string]bool // Local.Domains
	sender     address
	headerFrom []address
	score      float64
	shared     []int // itself, and the findings that are about everybody
	personal   []int // the findings that are about one recipient
}

// recipient is whom a rule is tried for: before RCPT nobody in particular.
type recipient struct {
	address
	text  string
	known bool
}

func (p *Policy) facts(in Input) *facts {
	f := &facts{in: in, local: p.local, ours: p.ours, sender: splitAddress(in.Envelope.Sender)}
	if f.complete() {
		f.headerFrom = headerFrom(in.Header)
	}
	f.score = total(in.Found)
	f.shared = append(make([]int, 0, len(in.Found)+1), itself)
	for i, found := range in.Found {
		if found.Recipient == "" {
			f.shared = append(f.shared, i)
		} else {
			f.personal = append(f.personal, i)
		}
	}
	return f
}

// total adds the scores up, to the millionth, so that the order in which they
// come makes no difference to a comparison. A score that is no number counts
// for nothing.
func total(found []scan.Finding) float64 {
	var sum float64
	for _, f := range found {
		if f.Score-f.Score == 0 {
			sum += f.Score
		}
	}
	return math.Round(sum*1e6) / 1e6
}

// complete reports whether nothing more will be found.
func (f *facts) complete() bool { return f.in.Stage >= scan.StageMessage }

// knowsSender reports whether MAIL has been given, and with it the login.
func (f *facts) knowsSender() bool { return f.in.Stage >= scan.StageMail }

// once gives a condition's value if it is known yet.
func (f *facts) once(known, value bool) truth {
	if !known {
		return perhaps
	}
	return truthOf(value)
}

// holds says whether a condition holds anywhere in the message. A finding that
// is there stays; one that is not may still come, and moves the score.
func (f *facts) holds(c Condition) truth {
	if !c.aboutFinding() {
		return f.once(f.complete(), c.holdsFor(f.score))
	}
	if slices.ContainsFunc(f.in.Found, c.matches) {
		return yes
	}
	return f.once(f.complete(), false)
}

// part is the part a finding points at, or nil.
func (f *facts) part(found scan.Finding) *scan.Part {
	if found.Part < 0 || found.Part >= len(f.in.Parts) {
		return nil
	}
	return &f.in.Parts[found.Part]
}

// partMatches reports whether the finding's part goes by a name or a path like
// one of the patterns.
func (f *facts) partMatches(found scan.Finding, patterns []string) bool {
	p := f.part(found)
	if p == nil {
		return false
	}
	for _, name := range append([]string{p.Path}, p.Names...) {
		name = strings.ToLower(name)
		if slices.ContainsFunc(patterns, func(g string) bool { return matchGlob(g, name) }) {
			return true
		}
	}
	return false
}

// recipients are those a decision at this stage is about: all of a message, the
// last one at RCPT, nobody in particular before. A message without recipients,
// as in a file, has one without a name.
func (f *facts) recipients() []recipient {
	all := f.in.Envelope.Recipients
	switch {
	case f.in.Stage < scan.StageRcpt:
		return []recipient{{}}
	case len(all) == 0:
		return []recipient{{known: true}}
	case f.in.Stage == scan.StageRcpt:
		all = all[len(all)-1:]
	}
	list := make([]recipient, len(all))
	for i, a := range all {
		list[i] = recipient{splitAddress(a), a, true}
	}
	return list
}
