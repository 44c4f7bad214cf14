package policy

import (
	"net/netip"
	"testing"

	"github.com/milterscan/milterscan/scan"
)

// at is what is known of the inbound message at a stage.
func at(s scan.Stage, found ...scan.Finding) Input {
	in := inbound()
	in.Stage, in.Found, in.Header.Fields, in.Size, in.Parts = s, found, nil, 0, nil
	if s < scan.StageRcpt {
		in.Envelope.Recipients = nil
	}
	if s < scan.StageMail {
		in.Envelope.Sender = ""
	}
	return in
}

func clientRule(o Outcome) Rule {
	return Rule{Ref: RuleRef{Name: "client"}, Scope: Scope{Client: []Network{{netip.MustParsePrefix("192.0.2.0/24")}}}, Outcome: o}
}

func TestEarlyStages(t *testing.T) {
	listed := scan.Finding{Kind: scan.Suspicious, Scanner: "spam", Rule: "spam/dns-list", Part: scan.WholeMessage}
	onList := shipped("list", named("spam/dns-list"), refuse)
	scored := shipped("score", []Condition{{compare: ">=", limit: 5}}, deliver)
	login := Rule{Scope: Scope{Auth: []Login{"*"}}}
	big := Rule{Scope: Scope{Size: SizeRange{Min: 1}}}
	tests := []struct {
		name  string
		rules []Rule
		found []scan.Finding
		want  [4]string // at connect, HELO, MAIL, RCPT
	}{
		{"a blocked client", []Rule{clientRule(refuse)}, nil,
			[4]string{"reject", "reject", "reject", "reject"}},
		{"a blocked sender", []Rule{fromRule("from", "@sender.example", refuse)}, nil,
			[4]string{"deliver", "deliver", "reject", "reject"}},
		{"a blocked recipient", []Rule{toRule("to", "a@ours.example", refuse)}, nil,
			[4]string{"deliver", "deliver", "deliver", "reject"}},
		{"a recipient who wants everything", []Rule{toRule("to", "a@ours.example", deliver), clientRule(refuse)}, nil,
			[4]string{"pending", "pending", "pending", "deliver"}},
		{"another recipient who wants everything", []Rule{toRule("to", "b@ours.example", deliver), clientRule(refuse)}, nil,
			[4]string{"pending", "pending", "pending", "reject"}},
		{"a listed client", []Rule{onList}, []scan.Finding{listed},
			[4]string{"reject", "reject", "reject", "reject"}},
		{"a listed client, and a recipient who does not care", []Rule{toRule("to", "a@ours.example", deliver), onList}, []scan.Finding{listed},
			[4]string{"pending", "pending", "pending", "deliver"}},
		{"users may be anywhere", []Rule{login, onList}, []scan.Finding{listed},
			[4]string{"pending", "pending", "reject", "reject"}},
		{"a size that is not known yet", []Rule{big, onList}, []scan.Finding{listed},
			[4]string{"pending", "pending", "pending", "pending"}},
		{"a score does not excuse a finding", []Rule{scored, onList}, []scan.Finding{listed},
			[4]string{"reject", "reject", "reject", "reject"}},
		{"a score may excuse the message", []Rule{scored, clientRule(refuse)}, nil,
			[4]string{"pending", "pending", "pending", "pending"}},
		{"a rule that may refuse as well", []Rule{toRule("to", "a@ours.example", refuse), clientRule(refuse)}, nil,
			[4]string{"reject", "reject", "reject", "reject"}},
		{"watching holds nobody up", []Rule{{Scope: login.Scope, Mode: Watches}, clientRule(refuse)}, nil,
			[4]string{"reject", "reject", "reject", "reject"}},
		{"what is only for complete messages", []Rule{clientRule(quarantine)}, nil,
			[4]string{"deliver", "deliver", "deliver", "deliver"}},
		{"inbound mail", []Rule{{Scope: Scope{Direction: Inbound}, Outcome: refuse}}, nil,
			[4]string{"deliver", "deliver", "reject", "reject"}},
		{"unless something turns up", []Rule{{Grounds: Grounds{Unless: named("auth/dkim-pass")}, Outcome: refuse}}, nil,
			[4]string{"deliver", "deliver", "deliver", "deliver"}},
		{"a temporary failure", []Rule{clientRule(retry)}, nil,
			[4]string{"tempfail", "tempfail", "tempfail", "tempfail"}},
	}
	for _, test := range tests {
		p := mustNew(t, test.rules)
		for s, want := range test.want {
			d := p.Decide(at(scan.Stage(s), test.found...))
			got := d.Answer.String()
			if d.Pending {
				got = "pending"
			}
			if got != want {
				t.Errorf("%s at %v: %s, want %s", test.name, scan.Stage(s), got, want)
			}
			if d.Keep || len(d.Drop)+len(d.Add)+len(d.Headers)+len(d.Edits)+len(d.Notices) > 0 {
				t.Errorf("%s at %v: there is no message to change yet: %+v", test.name, scan.Stage(s), d)
			}
			if d.Answer == Reject && len(test.found) == 0 && !p.Refuses(scan.Stage(s)) {
				t.Errorf("%s at %v: refused, though Refuses says never", test.name, scan.Stage(s))
			}
		}
	}
}

func TestRcptJudgesTheLastRecipient(t *testing.T) {
	p := mustNew(t, []Rule{toRule("to", "gone@ours.example", refuse)})
	in := at(scan.StageRcpt)
	for to, want := range map[string]Answer{"a@ours.example": Deliver, "gone@ours.example": Reject} {
		in.Envelope.Recipients = []string{"gone@ours.example", "a@ours.example", to}
		d := p.Decide(in)
		if d.Answer != want || len(d.Verdicts) != 1 || d.Verdicts[0].Recipient != to {
			t.Errorf("%s: %v for %+v", to, d.Answer, d.Verdicts)
		}
	}
}

func TestShippedProfilesRefuseNothingUnseen(t *testing.T) {
	for _, name := range Profiles() {
		for s := scan.StageConnect; s < scan.StageMessage; s++ {
			if profile(t, name).Refuses(s) {
				t.Errorf("%s may refuse at %v whatever was found", name, s)
			}
		}
	}
}
