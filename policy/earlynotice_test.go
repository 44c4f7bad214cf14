package policy

import (
	"testing"

	"github.com/milterscan/milterscan/scan"
)

// Whoever a rule names is told of what is refused before the message, and nobody
// else: the sender hears the reply.
func TestEarlyRefusalsAreTold(t *testing.T) {
	told := Outcome{Answer: Reject, Notify: []string{"admin@ours.example"}}
	over := scan.Finding{Kind: scan.Suspicious, Scanner: "rate", Rule: "rate/over/users", Part: scan.WholeMessage, Recipient: "a@ours.example"}
	for _, test := range []struct {
		outcome Outcome
		want    int
	}{{told, 1}, {refuse, 0}, {Outcome{Answer: Tempfail, Notify: told.Notify}, 0}} {
		p := mustNew(t, []Rule{shipped("over", named("rate/*"), test.outcome)})
		d := p.Decide(at(scan.StageRcpt, over))
		if len(d.Notices) != test.want || test.want > 0 && (d.Notices[0].To != "admin@ours.example" || d.Notices[0].Audience != Administrator) {
			t.Errorf("%v: %+v", test.outcome, d.Notices)
		}
	}
}
