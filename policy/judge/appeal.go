package judge

import (
	"context"
	"slices"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
)

// appealed returns the result when the copy is safe for which the sender may appeal, with the
// link in the reply. Without a link, or without a copy, the message is refused as it would be
// without the appeal: the sender has it, and hears why. A rule that asks for a copy in any
// case still gets one.
func (j *Judge) appealed(ctx context.Context, r *Result) *Result {
	link, back := "", func() {}
	if j.Appeals != nil && r.seen.release == nil { // what we send ourselves has been asked for before
		link, back = j.Appeals.Offer(r.appeal())
	}
	if link == "" {
		return j.result(r.seen, r.choice.withdrawn())
	}
	inviting := j.result(r.seen, r.choice.inviting(link))
	err := j.keep(ctx, inviting)
	if err == nil {
		return inviting
	}
	back()
	return j.result(r.seen, r.choice.withdrawn(note(scan.Note, notOffered, err.Error())))
}

// inviting returns the choice with a reply that has the link.
func (c choice) inviting(link string) choice {
	return choice{tried: c.tried, decision: c.decision.Inviting(link), rules: c.rules, result: c.result, invites: true}
}

// withdrawn returns the choice without the appeal.
func (c choice) withdrawn(why ...scan.Finding) choice {
	return choice{tried: c.noting(why...).tried, decision: c.decision.Withdrawn(), rules: c.rules, result: c.result}
}

// appeal describes the message to those who give links.
func (r *Result) appeal() policy.Appeal {
	a := policy.Appeal{ID: r.ID, Client: r.Envelope.Client.Addr(), Sender: r.Envelope.Sender, Size: r.Size}
	for _, v := range r.Decision.Verdicts {
		if asked(v) && !slices.Contains(a.Recipients, v.Recipient) {
			a.Recipients = append(a.Recipients, v.Recipient)
		}
	}
	return a
}

// asked reports whether the recipient of a verdict is asked when the sender appeals.
func asked(v policy.Verdict) bool { return len(v.Outcome.Appeal) > 0 && v.Recipient != "" }
