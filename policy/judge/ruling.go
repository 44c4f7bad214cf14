package judge

import (
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/edit"
)

// ruling makes a decision ready for the MTA.
func ruling(r *Result) policy.Ruling {
	d := r.Decision
	out := policy.Ruling{ID: r.ID, Answer: d.Answer, Reply: d.Reply, Reason: d.Reason}
	if d.Answer != policy.Deliver && d.Answer != policy.Hold {
		return out
	}
	out.Changes = policy.Changes{Drop: d.Drop, Add: d.Add}
	if r.Message == nil {
		return out
	}
	out.Changes.Headers = append(edit.Fields(r.Message.Header, d.Headers), marks(r)...)
	if d.Tag != "" {
		out.Changes.Headers = append(out.Changes.Headers, edit.Subject(r.Message.Header, d.Tag)...)
	}
	if r.Edited() {
		out.Changes.Headers = append(out.Changes.Headers, r.choice.result.Headers...)
		out.Changes.Body = r.choice.result.Body
	}
	return out
}
