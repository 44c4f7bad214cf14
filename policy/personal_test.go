package policy

import (
	"strings"
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

// TestBannersAboutOneRecipient: all who get a message read the same text, so a banner about some of
// them is in none.
func TestBannersAboutOneRecipient(t *testing.T) {
	about := func(to string) scan.Finding {
		return scan.Finding{Kind: scan.Note, Scanner: "content", Rule: "content/first-contact", Part: scan.WholeMessage, Recipient: to}
	}
	general := scan.Finding{Kind: scan.Note, Scanner: "content", Rule: "content/reply-to", Part: scan.WholeMessage}
	banner := func(name, when string) Rule { return shipped(name, named(when), Outcome{Banner: name}) }
	p := mustNew(t, []Rule{
		toRule("unwilling", "c@ours.example", refuse),
		banner("stranger", "content/first-contact"), banner("odd", "content/reply-to"), shipped("rest", nil, deliver),
	})
	a, b, c := "a@ours.example", "b@ours.example", "c@ours.example"
	for _, row := range []struct {
		to    []string
		found []scan.Finding
		want  string
	}{
		{[]string{a}, []scan.Finding{about(a)}, "stranger"},
		{[]string{a, b}, []scan.Finding{about(a), about(b)}, "stranger"},
		{[]string{a, b}, []scan.Finding{about(a)}, ""},
		{[]string{a, b}, []scan.Finding{about(b), general}, "odd"},
		{[]string{a, c}, []scan.Finding{about(a)}, "stranger"},
		{[]string{a, b, c}, []scan.Finding{about(c)}, ""},
		{nil, []scan.Finding{about(a)}, ""},
	} {
		in := inbound()
		in.Envelope.Recipients, in.Found = row.to, row.found
		if got := strings.Join(p.Decide(in).Banners, " "); got != row.want {
			t.Errorf("%v with %d findings: banners %q, want %q", row.to, len(row.found), got, row.want)
		}
	}
}
