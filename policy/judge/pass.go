package judge

import (
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/token"
	"github.com/milterscan/milterscan/scan"
)

// The findings about passes.
const (
	released = "pass/released" // a release: what it was kept for does not count
	probed   = "pass/probe"    // "milterscan setup" looks whether the MTA asks us
	notPass  = "pass/invalid"  // the field is there, and is none of ours
)

// Catalogue lists the findings of this package.
func Catalogue() []scan.Rule {
	return []scan.Rule{
		{Name: released, Kind: scan.Note, About: "The message was released from the quarantine: what it was kept for does not count."},
		{Name: probed, Kind: scan.Note, About: "The message is the probe of \"milterscan setup\": it is refused whatever the rules say, which shows that the MTA asks milterscan."},
		{Name: policy.PartFound, Kind: scan.Note, About: "A rule with part and without when asks for parts of this name or type."},
		{Name: notPass, Kind: scan.Suspicious, About: "The message claims to be released or to be a notice, and that is forged, out of date, or of a host with another key."},
	}
}

// grant is what a message may do by the pass it carries; ok only if it carries
// one, and that is good. A message with two is nobody's we know.
func (j *Judge) grant(m *scan.Message) (g token.Grant, ok bool, err error) {
	fields := m.Header.Values(token.Field)
	if len(fields) == 0 {
		return g, false, nil
	}
	key, err := j.Key()
	if err != nil {
		return g, false, err
	}
	sum, err := token.Sum(scan.Reader(m.Raw))
	if err != nil {
		return g, false, err
	}
	g, err = token.Read(key, fields[0], sum, time.Now())
	return g, err == nil && len(fields) == 1, err
}

// present takes the pass of a message, if it carries one, into account, and
// reports whether the message is our own: the decision has fallen then, and no
// rule is asked.
func (j *Judge) present(r *Result) (ours bool) {
	if len(r.Message.Header.Values(token.Field)) == 0 {
		return false
	}
	g, ok, err := j.grant(r.Message)
	switch {
	case ok && g.For == token.Notice:
		r.Decision.Complete = true
		return true
	case ok && g.For == token.Probe:
		r.Found = []scan.Finding{note(scan.Note, probed, g.ID)}
		r.Decision = policy.Decision{Complete: true, Answer: policy.Reject, Reply: policy.Probed(r.ID)}
		return true
	case ok && g.For == token.Release:
		r.release = &g
	default:
		detail := "more than one"
		if err != nil {
			detail = err.Error()
		}
		r.Message.Notes = append(r.Message.Notes, note(scan.Suspicious, notPass, detail))
	}
	return false
}

func note(k scan.Kind, rule, detail string) scan.Finding {
	return scan.Finding{Kind: k, Scanner: "pass", Rule: rule, Part: scan.WholeMessage, Detail: detail}
}

// pardon takes away what does not count for a message that was released. What is
// infected counts unless the release says so in as many words.
func (r *Result) pardon() {
	if r.release == nil {
		return
	}
	left := []scan.Finding{note(scan.Note, released, r.release.ID)}
	for _, f := range r.Found {
		if !r.release.Covers(f.Rule) || f.Kind == scan.Infected && !r.release.Infected {
			left = append(left, f)
		}
	}
	r.Found = left
}

// withoutPass takes the field off, true or forged: nobody else is to see it.
func withoutPass(m *scan.Message) []policy.HeaderChange {
	var changes []policy.HeaderChange
	for i := range m.Header.Values(token.Field) {
		changes = append(changes, policy.HeaderChange{Op: policy.Delete, Name: token.Field, Index: i + 1})
	}
	return changes
}
