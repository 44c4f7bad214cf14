package policy

import (
	"net/netip"
	"testing"

	"github.com/milterscan/milterscan/scan"
)

// Relay control is a rule like any other: one of the site's own may stand before
// it, and each recipient is judged alone.
func TestRelayed(t *testing.T) {
	local := Local{Domains: []Domain{"ours.example", ".ours.example"}, Networks: []Network{{netip.MustParsePrefix("198.51.100.0/24")}}}
	p, err := New([]Rule{
		{Ref: RuleRef{Name: "partner"}, Scope: Scope{To: []AddressPattern{pattern("@partner.example")}}},
		{Ref: RuleRef{Name: "relay"}, Scope: Scope{Direction: Relayed}, Outcome: Outcome{Answer: Reject}},
		{Ref: RuleRef{Name: "inbound"}, Scope: Scope{Direction: Inbound}, Grounds: Grounds{When: named("a/b")}, Outcome: Outcome{Answer: Reject}},
	}, local)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := scan.Envelope{Client: netip.MustParseAddrPort("192.0.2.1:25"), Sender: "x@ours.example"}
	inside := scan.Envelope{Client: netip.MustParseAddrPort("198.51.100.1:25")}
	user := scan.Envelope{Client: netip.MustParseAddrPort("192.0.2.1:25"), AuthUser: "joe"}
	for _, test := range []struct {
		to   string
		env  scan.Envelope
		want Answer
	}{
		{"a@ours.example", elsewhere, Deliver}, {"a@OURS.example.", elsewhere, Deliver}, {"a@sub.ours.example", elsewhere, Deliver}, {"root", elsewhere, Deliver}, {"", elsewhere, Deliver},
		{"a@other.example", elsewhere, Reject}, {"a@notours.example", elsewhere, Reject}, {"a%other.example@ours.example", elsewhere, Deliver},
		{"a@partner.example", elsewhere, Deliver},
		{"a@other.example", inside, Deliver}, {"a@other.example", user, Deliver},
	} {
		test.env.Recipients = []string{"first@ours.example", test.to}
		if d := p.Decide(Input{Stage: scan.StageRcpt, Envelope: test.env}); d.Answer != test.want {
			t.Errorf("%s: %v, want %v", test.to, d.Answer, test.want)
		}
	}
	if p.Refuses(scan.StageMail) || !p.Refuses(scan.StageRcpt) {
		t.Error("it takes a recipient to tell")
	}
	elsewhere.Recipients = []string{"a@partner.example"}
	if d := p.Decide(Input{Stage: scan.StageMessage, Envelope: elsewhere, Found: []scan.Finding{{Rule: "a/b", Part: scan.WholeMessage}}}); d.Answer != Deliver {
		t.Errorf("%v", d.Answer) // "partner" is for every finding
	}
}

func TestFilledIn(t *testing.T) {
	all := "{rule}|{detail}|{id}|{score}|{bar}|{scored}|{client}|{user}"
	p, err := New([]Rule{{Grounds: Grounds{When: named("spam/*")}, Mode: Adds, Outcome: Outcome{Headers: []HeaderField{{"X-All", all}}}}}, Local{})
	if err != nil {
		t.Fatal(err)
	}
	in := Input{ID: "7", Stage: scan.StageMessage, Envelope: scan.Envelope{Client: netip.MustParseAddrPort("192.0.2.1:25"), AuthUser: "jo\r\ne"}, Found: []scan.Finding{
		{Rule: "content/a", Score: 0.5}, {Rule: "spam/list/b", Score: 3, Detail: "say {id}\r\nX-Evil: 1"}, {Rule: "content/a", Score: 1}, {Rule: "content/none"},
	}}
	d := p.Decide(in)
	if want := "spam/list/b|say {id}??X-Evil: 1|7|4.5|****|spam/list/b=3, content/a=1.5|192.0.2.1|jo??e"; len(d.Headers) != 1 || d.Headers[0].Value != want {
		t.Errorf("%q\nwant %q", d.Headers, want)
	}
	in.Found[1].Score = -1000
	in.Envelope = scan.Envelope{}
	if d := p.Decide(in); d.Headers[0].Value != "spam/list/b|say {id}??X-Evil: 1|7|-998.5||content/a=1.5, spam/list/b=-1000||-" {
		t.Errorf("%q", d.Headers)
	}
}
