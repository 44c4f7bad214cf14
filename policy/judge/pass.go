package judge

import (
	"slices"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/edit"
	"github.com/milterscan/milterscan/policy/token"
	"github.com/milterscan/milterscan/scan"
)

// The findings of this package.
const (
	released = "pass/released" // a release: what it was kept for does not count
	probed   = "pass/probe"    // "milterscan setup" looks whether the MTA asks us
	notPass  = "pass/invalid"  // the field is there, and is none of ours

	notOffered = "pass/no-appeal" // there is no copy that the sender could ask for

	noLists = "people/lists" // the senders that people have listed are not known
)

// Catalogue lists the findings of this package.
func Catalogue() []scan.Rule {
	return []scan.Rule{
		{Name: released, Kind: scan.Note, About: "The message was released from the quarantine: what it was kept for does not count."},
		{Name: probed, Kind: scan.Note, About: "The message is the probe of \"milterscan setup\": it is refused whatever the " +
			"rules say, which shows that the MTA asks milterscan."},
		{Name: policy.PartFound, Kind: scan.Note, About: "A rule with part and without when asks for parts of this name or type."},
		{Name: noLists, Kind: scan.Failed, About: "The senders that people allow and block are not known: their file has not been " +
			"read since the start, or whose addresses are one person's is not known yet."},
		{Name: notOffered, Kind: scan.Note,
			About: "The copy for an appeal of the sender could not be kept: the message was refused without a link."},
		{Name: notPass, Kind: scan.Suspicious, About: "The message claims to be released or to be a notice, and that is " +
			"forged, out of date, or of a host with another key."},
	}
}

// grant returns what a message may do by the pass it carries; ok only if it carries
// one, and that is good. A message with two is from no sender we know.
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

// presented is what the pass of a message comes to.
type presented struct {
	own     *policy.Decision // on our mail, about which no rule is asked
	release *token.Grant
	found   []scan.Finding
}

// present takes the pass of a message, if it carries one, into account.
func (j *Judge) present(id string, m *scan.Message) presented {
	if len(m.Header.Values(token.Field)) == 0 {
		return presented{}
	}
	g, ok, err := j.grant(m)
	switch {
	case ok && g.For == token.Notice:
		return presented{own: &policy.Decision{Complete: true}}
	case ok && g.For == token.Probe:
		return presented{
			own:   &policy.Decision{Complete: true, Answer: policy.Reject, Reply: policy.Probed(id)},
			found: []scan.Finding{note(scan.Note, probed, g.ID)},
		}
	case ok && g.For == token.Release:
		return presented{release: &g}
	}
	detail := "more than one"
	if err != nil {
		detail = err.Error()
	}
	return presented{found: []scan.Finding{note(scan.Suspicious, notPass, detail)}}
}

// Released returns the id of the kept message that was released as this one; "" for any other message.
func (r *Result) Released() string {
	if r.seen.release == nil {
		return ""
	}
	return r.seen.release.ID
}

func note(k scan.Kind, rule, detail string) scan.Finding {
	return scan.Finding{Kind: k, Scanner: "pass", Rule: rule, Part: scan.WholeMessage, Detail: detail}
}

// pardon leaves out the findings that do not count for a message that was released. An
// infection counts unless the release says so in as many words.
func pardon(release *token.Grant, found []scan.Finding) []scan.Finding {
	if release == nil {
		return found
	}
	left := []scan.Finding{note(scan.Note, released, release.ID)}
	for _, f := range found {
		if !release.Covers(f.Rule) || f.Kind == scan.Infected && !release.Infected {
			left = append(left, f)
		}
	}
	return left
}

// marks returns what becomes of the fields that are ours. The pass is taken off, true or forged:
// no person and no other host is to see it. A released message says so, to rules of mailboxes that would put it
// into Junk; no other message does.
func marks(r *Result) []policy.HeaderChange {
	var list []policy.HeaderChange
	off := func(name string) {
		for i := range r.Message.Header.Values(name) {
			list = append(list, policy.HeaderChange{Op: policy.Delete, Name: name, Index: i + 1})
		}
	}
	off(token.Field)
	if i := slices.IndexFunc(r.Found, func(f scan.Finding) bool { return f.Rule == released }); i >= 0 {
		return append(list, edit.Fields(r.Message.Header, []policy.HeaderField{{Name: token.Released, Value: "id=" + r.Found[i].Detail}})...)
	}
	off(token.Released)
	return list
}
