package policy

import (
	"reflect"
	"slices"
	"testing"

	"github.com/milterscan/milterscan/scan"
)

// answersOf makes a policy that answers a@ours.example with one answer and
// b@ours.example with the other.
func answersOf(t testing.TB, a, b Outcome) Decision {
	t.Helper()
	in := inbound("exe", "macro")
	in.Envelope.Recipients = []string{"a@ours.example", "b@ours.example"}
	return mustNew(t, []Rule{toRule("a", "a@ours.example", a), toRule("b", "b@ours.example", b)}).Decide(in)
}

// fates are what the five answers come to for two recipients: what the client
// hears, and who is dropped.
var fates = [5][5]string{
	Deliver:  {"deliver", "tempfail", "hold", "deliver -b", "deliver -b"},
	Tempfail: {"tempfail", "tempfail", "tempfail", "tempfail", "tempfail"},
	Hold:     {"hold", "tempfail", "hold", "hold -b", "hold -b"},
	Discard:  {"deliver -a", "tempfail", "hold -a", "discard", "discard"},
	Reject:   {"deliver -a", "tempfail", "hold -a", "discard", "reject"},
}

func fate(d Decision) string {
	s := d.Answer.String()
	for _, r := range d.Drop {
		s += " -" + r[:1]
	}
	return s
}

func TestTwoRecipients(t *testing.T) {
	for a := Deliver; a <= Reject; a++ {
		for b := Deliver; b <= Reject; b++ {
			d := answersOf(t, Outcome{Answer: a}, Outcome{Answer: b})
			if fate(d) != fates[a][b] {
				t.Errorf("%v and %v: %s, want %s", a, b, fate(d), fates[a][b])
			}
			if len(d.Verdicts) != 2 || d.Verdicts[0].Outcome.Answer != a || d.Verdicts[1].Outcome.Answer != b {
				t.Errorf("%v and %v: verdicts %+v", a, b, d.Verdicts)
			}
			if (d.Reply.Code != 0) != (d.Answer == Reject || d.Answer == Tempfail) {
				t.Errorf("%v and %v: reply %q to %v", a, b, d.Reply, d.Answer)
			}
		}
	}
}

func TestCopiesAreKeptForThoseWhoAskUnlessTheMTAComesAgain(t *testing.T) {
	kept := Outcome{Answer: Reject, Keep: true}
	for other, want := range map[Answer]bool{Deliver: true, Tempfail: false, Hold: true, Discard: true, Reject: true} {
		if d := answersOf(t, kept, Outcome{Answer: other}); d.Keep != want {
			t.Errorf("reject with a copy and %v: keep = %v, want %v", other, d.Keep, want)
		}
	}
}

func TestWhoIsDroppedInSilenceIsTold(t *testing.T) {
	d := answersOf(t, refuse, deliver)
	want := []Notice{{To: "a@ours.example", Audience: ToRecipient, Recipient: "a@ours.example", Finding: itself, Rule: RuleRef{Name: "a"}}}
	if !reflect.DeepEqual(d.Notices, want) {
		t.Errorf("notices %+v, want %+v", d.Notices, want)
	}
	if d := answersOf(t, refuse, refuse); len(d.Notices) > 0 {
		t.Errorf("the client hears of it, and so do %+v", d.Notices)
	}
	in := inbound("virus")
	in.Envelope.Recipients = []string{"a@ours.example", "b@ours.example"}
	careless := toRule("careless", "b@ours.example", deliver)
	careless.Grounds.When = kind(scan.Infected)
	if d := profile(t, ProfileDefault, careless).Decide(in); fate(d) != "deliver -a" || len(d.Notices) > 0 {
		t.Errorf("a virus for one of two: %s with notices %+v", fate(d), d.Notices)
	}
	out := outbound()
	out.Envelope.Recipients = []string{"x@else.example", "y@else.example"}
	d = mustNew(t, []Rule{toRule("x", "x@else.example", refuse)}).Decide(out)
	if len(d.Notices) != 1 || d.Notices[0].To != "joe@ours.example" {
		t.Errorf("the refusal of one of joe's recipients is told to %+v", d.Notices)
	}
}

func TestRecipientsAddedAndReplaced(t *testing.T) {
	redirect := Outcome{Only: []string{"admin@ours.example"}}
	tests := []struct {
		name      string
		a, b      Outcome
		drop, add []string
	}{
		{"copy", Outcome{Add: []string{"log@ours.example"}}, deliver, nil, []string{"log@ours.example"}},
		{"copy to one who gets it anyway", Outcome{Add: []string{"b@ours.example"}}, deliver, nil, nil},
		{"redirect", redirect, deliver, []string{"a@ours.example"}, []string{"admin@ours.example"}},
		{"forward", redirect, redirect, []string{"a@ours.example", "b@ours.example"}, []string{"admin@ours.example"}},
		{"redirect to the other", Outcome{Only: []string{"b@ours.example"}}, deliver, []string{"a@ours.example"}, nil},
		{"redirect to oneself", Outcome{Only: []string{"a@ours.example"}}, deliver, nil, nil},
		{"redirect to one who refuses", Outcome{Only: []string{"b@ours.example"}}, refuse, []string{"a@ours.example"}, nil},
	}
	for _, test := range tests {
		d := answersOf(t, test.a, test.b)
		if !slices.Equal(d.Drop, test.drop) || !slices.Equal(d.Add, test.add) {
			t.Errorf("%s: drops %v and adds %v, want %v and %v", test.name, d.Drop, d.Add, test.drop, test.add)
		}
	}
}

func TestChangesAreThoseOfWhoGetsTheMessage(t *testing.T) {
	tagged := func(to, tag string, answer Answer) Rule {
		r := toRule(tag, to, Outcome{Tag: tag, Edit: Rename})
		r.Grounds.When = kind(scan.Forbidden)
		r.Outcome.Answer = answer
		return r
	}
	in := inbound("exe")
	in.Envelope.Recipients = []string{"a@ours.example", "b@ours.example"}
	d := mustNew(t, []Rule{tagged("a@ours.example", "{A}", Deliver), tagged("b@ours.example", "{B}", Deliver)}).Decide(in)
	if d.Tag != "{A} {B}" || len(d.Edits) != 1 {
		t.Errorf("tag %q, edits %v", d.Tag, d.Edits)
	}
	refusing := toRule("b", "b@ours.example", refuse)
	d = mustNew(t, []Rule{tagged("a@ours.example", "{A}", Deliver), refusing}).Decide(in)
	if d.Tag != "{A}" || fate(d) != "deliver -b" {
		t.Errorf("tag %q, %s", d.Tag, fate(d))
	}
}
