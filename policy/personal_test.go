package policy

import (
	"testing"

	"github.com/milterscan/milterscan/scan"
)

// A finding about one recipient is no other's business.
func TestFindingsAboutOneRecipient(t *testing.T) {
	about := func(to string) scan.Finding {
		return scan.Finding{Kind: scan.Note, Scanner: "greylist", Rule: "greylist/first-seen", Part: scan.WholeMessage, Recipient: to}
	}
	p := mustNew(t, []Rule{
		toRule("patient", "c@ours.example", deliver),
		shipped("grey", named("greylist/*"), refuse),
		shipped("rest", nil, deliver),
	})
	in := inbound()
	in.Envelope.Recipients = []string{"a@ours.example", "b@ours.example", "c@ours.example"}
	in.Found = []scan.Finding{about("a@ours.example"), about("c@ours.example"), about("nobody@ours.example")}
	for i, want := range []Answer{Reject, Deliver, Deliver} {
		if v := p.Decide(in).Verdicts[i]; v.Outcome.Answer != want {
			t.Errorf("%s: %v, want %v", v.Recipient, v.Outcome.Answer, want)
		}
	}
	in.Stage = scan.StageRcpt
	for n, want := range map[int]Answer{1: Reject, 2: Deliver, 3: Deliver} {
		in := in
		in.Envelope.Recipients = in.Envelope.Recipients[:n]
		if d := p.Decide(in); d.Answer != want {
			t.Errorf("at RCPT %v: %v, want %v", in.Envelope.Recipients, d.Answer, want)
		}
	}
}
