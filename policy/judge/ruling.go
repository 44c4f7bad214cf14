package judge

import (
	"strings"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan/entity"
)

// ruling makes a decision ready for the MTA.
func ruling(r *Result) policy.Ruling {
	d := r.Decision
	out := policy.Ruling{ID: r.ID, Answer: d.Answer, Reply: d.Reply, Reason: d.Reason}
	if d.Answer != policy.Deliver && d.Answer != policy.Hold {
		return out
	}
	out.Changes = policy.Changes{Drop: d.Drop, Add: d.Add}
	for _, h := range d.Headers {
		out.Changes.Headers = append(out.Changes.Headers, policy.HeaderChange{Op: policy.InsertTop, Name: h.Name, Value: h.Value})
	}
	if d.Tag != "" && r.Message != nil {
		out.Changes.Headers = append(out.Changes.Headers, tagged(r.Message.Header, d.Tag)...)
	}
	return out
}

// tagged puts a mark before the subject, unless it stands there already. Encoded
// words in the subject stay as they are, since the mark is plain text before
// them.
func tagged(h entity.Header, tag string) []policy.HeaderChange {
	subject := h.Values("Subject")
	if len(subject) == 0 {
		return []policy.HeaderChange{{Op: policy.InsertTop, Name: "Subject", Value: tag}}
	}
	value := strings.TrimLeft(subject[0], " \t")
	if strings.Contains(entity.DecodeWords(value), tag) {
		return nil
	}
	return []policy.HeaderChange{{Op: policy.Change, Name: "Subject", Value: tag + " " + value, Index: 1}}
}
