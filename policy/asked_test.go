package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
)

// told lists the notices of a decision: audience, address and whose copy each is about.
func told(d Decision) []string {
	var list []string
	for _, n := range d.Notices {
		list = append(list, fmt.Sprintf("%s %s about %s", n.Audience, n.To, n.Recipient))
	}
	return list
}

// Recipients for whom a rule asks hear of what does not arrive, each once, and of nothing
// else; the sender hears as well if the message is from us.
func TestThoseConcernedAreTold(t *testing.T) {
	asks := func(o Outcome, words ...string) Outcome {
		o.Notify = words
		return o
	}
	quarantine := Outcome{Answer: Discard, Keep: true}
	everything := Rule{Ref: RuleRef{Name: "tell"}, Mode: Adds, Outcome: asks(Outcome{}, Recipients)}
	both := []string{"a@ours.example", "b@ours.example"}
	from := func(in Input, to ...string) Input {
		in.Envelope.Recipients = to
		return in
	}
	released := outbound("virus")
	released.Envelope.Sender = ""
	for name, test := range map[string]struct {
		rules []Rule
		in    Input
		want  string
	}{
		"quarantined": {[]Rule{{Outcome: asks(quarantine, Recipients)}}, from(inbound("virus"), both...),
			"recipient a@ours.example about a@ours.example, recipient b@ours.example about b@ours.example"},
		"with an administrator": {[]Rule{{Outcome: asks(quarantine, Recipients, "admin@ours.example")}}, inbound("exe"),
			"recipient a@ours.example about a@ours.example, administrator admin@ours.example about a@ours.example"},
		"refused for all":             {[]Rule{{Outcome: asks(refuse, Recipients)}}, inbound("exe"), "recipient a@ours.example about a@ours.example"},
		"refused for one, told once":  {[]Rule{toRule("x", "b@ours.example", asks(refuse, Recipients)), {}}, from(inbound("exe"), both...), "recipient b@ours.example about b@ours.example"},
		"a virus refused for one":     {[]Rule{toRule("x", "b@ours.example", asks(refuse, Recipients)), {}}, from(inbound("virus"), both...), "recipient b@ours.example about b@ours.example"},
		"held for one, so for all":    {[]Rule{toRule("x", "b@ours.example", asks(Outcome{Answer: Hold}, Recipients)), everything, {}}, from(inbound("exe"), both...), "recipient a@ours.example about a@ours.example, recipient b@ours.example about b@ours.example"},
		"redirected":                  {[]Rule{{Outcome: Outcome{Only: []string{"admin@ours.example"}, Notify: []string{Recipients}}}}, inbound("exe"), "recipient a@ours.example about a@ours.example"},
		"redirected to the recipient": {[]Rule{{Outcome: Outcome{Only: []string{"a@ours.example"}, Notify: []string{Recipients}}}}, inbound("exe"), ""},
		"delivered":                   {[]Rule{everything, {}}, inbound("exe"), ""},
		"kept back, by another rule":  {[]Rule{everything, {Outcome: quarantine}}, inbound("exe"), "recipient a@ours.example about a@ours.example"},
		"temporarily refused":         {[]Rule{everything, {Outcome: Outcome{Answer: Tempfail}}}, inbound("exe"), ""},
		"a sender elsewhere":          {[]Rule{{Outcome: asks(quarantine, InternalSender)}}, inbound("virus"), ""},
		"a sender of ours": {[]Rule{{Outcome: asks(quarantine, InternalSender)}}, from(outbound("virus"), "x@else.example", "a@ours.example"),
			"sender joe@ours.example about x@else.example, sender joe@ours.example about a@ours.example"},
		"the null sender of ours": {[]Rule{{Outcome: asks(quarantine, InternalSender)}}, released, ""},
	} {
		if got := strings.Join(told(mustNew(t, test.rules).Decide(test.in)), ", "); got != test.want {
			t.Errorf("%s: told %q, want %q", name, got, test.want)
		}
	}
}

// Before the message there is nothing that a recipient could ask for.
func TestRecipientsAreNotToldOfEarlyRefusals(t *testing.T) {
	over := scan.Finding{Kind: scan.Suspicious, Scanner: "rate", Rule: "rate/over/users", Part: scan.WholeMessage}
	p := mustNew(t, []Rule{shipped("over", named("rate/*"), Outcome{Answer: Reject, Notify: []string{Recipients, "admin@ours.example"}})})
	if got := told(p.Decide(at(scan.StageRcpt, over))); !slices.Equal(got, []string{"administrator admin@ours.example about a@ours.example"}) {
		t.Errorf("told %q", got)
	}
}

// A rule that delivers cannot tell recipients of what does not arrive.
func TestNoticesOfWhatArrives(t *testing.T) {
	hears := []string{Recipients}
	for _, test := range []struct {
		rule Rule
		bad  bool
	}{
		{Rule{Outcome: Outcome{Notify: hears}}, true},
		{Rule{Outcome: Outcome{Notify: []string{"a@ours.example", InternalSender}}}, true},
		{Rule{Grounds: Grounds{Part: []string{"*"}}, Outcome: Outcome{Edit: Clean, Else: &Outcome{Notify: hears}}}, true},
		{Rule{Grounds: Grounds{Part: []string{"*"}}, Outcome: Outcome{Edit: Clean, Else: &Outcome{Answer: Reject, Notify: hears}}}, false},
		{Rule{Outcome: Outcome{Answer: Discard, Notify: hears}}, false},
		{Rule{Outcome: Outcome{Answer: Hold, Notify: hears}}, false},
		{Rule{Outcome: Outcome{Only: []string{"b@ours.example"}, Notify: hears}}, false},
		{Rule{Mode: Adds, Outcome: Outcome{Notify: hears}}, false},
	} {
		if err := test.rule.Check(); (err != nil) != test.bad || err != nil && !strings.Contains(err.Error(), "this rule delivers") {
			t.Errorf("%v: %v", test.rule, err)
		}
	}
}
