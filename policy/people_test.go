package policy

import (
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
)

// groupsOf are people by their groups: "finance" to the addresses in it.
type groupsOf map[string]string

func (g groupsOf) Group(name, address string) bool {
	return strings.Contains(" "+g[name]+" ", " "+address+" ")
}

var finance = groupsOf{"finance": "ann@ours.example bob@ours.example", "cn=it,dc=ours": "cy@ours.example"}

func TestGroupPatterns(t *testing.T) {
	for text, want := range map[string]string{
		"group:Finance": "group:finance", " GROUP: Domain  Users ": "group:domain users", "group:cn=IT, dc=Ours": "group:cn=it, dc=ours",
		"group:": "", "group: ": "", "group:" + strings.Repeat("x", mostOfGroup+1): "",
	} {
		p, err := ParseAddressPattern(text)
		if got := p.String(); (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("%.60q is %q, %v; want %q", text, got, err, want)
		}
		if err == nil && (p.Group() != strings.TrimPrefix(want, "group:") || p.In("ours.example")) {
			t.Errorf("%q is the group %q, in a domain: %v", text, p.Group(), p.In("ours.example"))
		}
	}
	if pattern("ann@ours.example").Group() != "" || pattern("*").Group() != "" {
		t.Error("an address is a group")
	}
}

// TestGroupsInRules: a group is everybody in it, for recipients; for senders, who can be forged, a rule that
// lets mail through goes by groups only where the mail is from us.
func TestGroupsInRules(t *testing.T) {
	to := func(list ...string) Scope { return Scope{To: patterns(list...)} }
	notTo := func(list ...string) Scope { return Scope{NotTo: patterns(list...)} }
	from := func(list ...string) Scope { return Scope{From: patterns(list...)} }
	author := func(list ...string) Scope { return Scope{HeaderFrom: patterns(list...)} }
	both := Scope{From: patterns("group:finance"), To: patterns("group:cn=it,dc=ours")}
	for _, c := range []struct {
		about   string
		scope   Scope
		refuses bool // the rule
		in      Input
		want    bool // it decides
	}{
		{"to a member", to("group:finance"), true, mailOf("eve@else.example", "Ann@Ours.example", ""), true},
		{"to another", to("group:finance"), true, mailOf("eve@else.example", "eve@ours.example", ""), false},
		{"to nobody", to("group:finance"), true, mailOf("eve@else.example", "", ""), false},
		{"to an address or a member", to("x@ours.example", "group:finance"), true, mailOf("eve@else.example", "bob@ours.example", ""), true},
		{"to an address or a member, an address", to("x@ours.example", "group:finance"), true, mailOf("eve@else.example", "x@ours.example", ""), true},
		{"to all but members, a member", notTo("group:finance"), true, mailOf("eve@else.example", "ann@ours.example", ""), false},
		{"to all but members, another", notTo("group:finance"), true, mailOf("eve@else.example", "eve@ours.example", ""), true},
		{"a group that is not there", to("group:nobody"), true, mailOf("eve@else.example", "ann@ours.example", ""), false},
		{"from a member, refused", from("group:finance"), true, mailOf("ann@ours.example", "x@ours.example", ""), true},
		{"from a member, let through", from("group:finance"), false, mailOf("ann@ours.example", "x@ours.example", ""), false},
		{"from a member who has logged in", from("group:finance"), false, mailOf("ann@ours.example", "x@ours.example", "ann"), true},
		{"from the null sender", from("group:finance"), true, mailOf("", "x@ours.example", ""), false},
		{"from an address, let through", from("ann@ours.example", "group:finance"), false, mailOf("ann@ours.example", "x@ours.example", ""), true},
		{"a forged author, let through", author("group:finance"), false, mailOf("ann@ours.example", "x@ours.example", ""), false},
		{"a forged author, refused", author("group:finance"), true, mailOf("ann@ours.example", "x@ours.example", ""), true},
		{"an author who has logged in", author("group:finance"), false, mailOf("ann@ours.example", "x@ours.example", "ann"), true},
		{"from one to the other", both, true, mailOf("bob@ours.example", "cy@ours.example", ""), true},
		{"from one to the same", both, true, mailOf("bob@ours.example", "ann@ours.example", ""), false},
	} {
		r := Rule{Ref: RuleRef{Name: "r"}, Scope: c.scope, Outcome: Outcome{Answer: Reject}}
		if !c.refuses {
			r.Outcome = deliver
		}
		p := mustNew(t, []Rule{r, {Ref: RuleRef{Name: "rest"}, Outcome: Outcome{Answer: Tempfail}}})
		c.in.People = finance
		if got := p.Decide(c.in).Rule.Name == "r"; got != c.want {
			t.Errorf("%s: decides: %v, want %v", c.about, got, c.want)
		}
		c.in.People = nil
		if got := p.Decide(c.in).Rule.Name == "r"; got && !strings.Contains(c.about, "address") && len(c.scope.NotTo) == 0 {
			t.Errorf("%s: decides where nobody is in any group", c.about)
		}
	}
}

func patterns(list ...string) (all []AddressPattern) {
	for _, s := range list {
		all = append(all, pattern(s))
	}
	return all
}

// mailOf is a message from one to another; a user has logged in.
func mailOf(from, to, user string) Input {
	in := inbound()
	in.Envelope.Sender, in.Envelope.Recipients, in.Envelope.AuthUser = from, []string{to}, user
	in.Header.Fields[0].Value = " <" + from + ">"
	return in
}

// TestGroupsOfWhomNothingIsKnown: where scanners are chosen by the rules there are, a group may have anybody, in the rule
// and out of it.
func TestGroupsOfWhomNothingIsKnown(t *testing.T) {
	for _, s := range []Scope{{To: patterns("group:finance")}, {NotTo: patterns("group:finance")}, {From: patterns("group:finance")}} {
		r := Rule{Scope: s, Grounds: Grounds{When: []Condition{ScoreAtLeast(5)}}, Outcome: Outcome{Answer: Reject}}
		e := scan.Envelope{Sender: "a@else.example", Recipients: []string{"ann@ours.example"}}
		if !mustNew(t, []Rule{r}).Interest(nil).Covers(e) {
			t.Errorf("no rule may be for it: %+v", s)
		}
	}
}

// TestGroupsHideNothing: a rule that lets members' own mail through leaves forged mail to later ones.
func TestGroupsHideNothing(t *testing.T) {
	first := Rule{Scope: Scope{From: patterns("group:finance")}, Outcome: deliver}
	later := Rule{Scope: Scope{From: patterns("group:finance")}, Outcome: Outcome{Answer: Reject}}
	if first.Hides(later) || first.LeavesGrave(later) {
		t.Error("a later rule is said to do nothing")
	}
	if !later.Hides(first) {
		t.Error("a rule for the same senders, whoever they are, hides the other")
	}
}

// TestUnknownRecipients: a rule refuses them at RCPT, each for itself, and the reply says why.
func TestUnknownRecipients(t *testing.T) {
	p := mustNew(t, []Rule{{Ref: RuleRef{Name: "r"}, Grounds: Grounds{When: named("recipient/unknown")}, Outcome: Outcome{Answer: Reject}}})
	in := mailOf("a@else.example", "ann@ours.example", "")
	in.Stage = scan.StageRcpt
	in.Envelope.Recipients = append(in.Envelope.Recipients, "eve@ours.example")
	in.Found = []scan.Finding{{Kind: scan.Note, Scanner: "recipient", Rule: "recipient/unknown", Part: scan.WholeMessage, Recipient: "eve@ours.example"}}
	if d := p.Decide(in); d.Answer != Reject || d.Reply.String() != "550 5.1.1 Message refused: there is no such recipient. [id1]" {
		t.Errorf("%v, %s", d.Answer, d.Reply)
	}
	in.Envelope.Recipients = in.Envelope.Recipients[:1]
	if d := p.Decide(in); d.Answer != Deliver {
		t.Errorf("the other recipient: %v", d.Answer)
	}
}
