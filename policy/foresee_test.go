package policy

import (
	"testing"

	"github.com/milterscan/milterscan/scan"
)

func TestRefusesOn(t *testing.T) {
	lists := []scan.Rule{{Name: "spam/list/*", Kind: scan.Suspicious}, {Name: "spam/failed/*", Kind: scan.Failed}}
	relay := []scan.Rule{{Name: "relay/sender-domain", Kind: scan.Forbidden}}
	unverified := []scan.Rule{{Name: "relay/sender-unverified", Kind: scan.Failed}}
	on := func(o Outcome, when ...string) Rule { return Rule{Grounds: Grounds{When: named(when...)}, Outcome: o} }
	scoped := on(refuse, "spam/list/bl")
	scoped.Scope.To = []AddressPattern{pattern("@example.com")}
	late := on(refuse, "spam/list/bl")
	late.Grounds.Unless = named("auth/dmarc-pass")
	watched := on(refuse, "spam/*")
	watched.Mode = Watches
	var score Condition
	if err := score.UnmarshalText([]byte("score >= 5")); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name    string
		profile string
		own     []Rule
		on      []scan.Rule
		want    bool
	}{
		{"lists under the default", ProfileDefault, nil, lists, false},
		{"lists under strict", ProfileStrict, nil, lists, true},
		{"relay under the default", ProfileDefault, nil, relay, true},
		{"a sender to be asked again", ProfileDefault, nil, unverified, true},
		{"relay under tag-only", ProfileTagOnly, nil, relay, false},
		{"a rule on lists", ProfileDefault, []Rule{on(refuse, "spam/*")}, lists, true},
		{"a rule on one list", ProfileDefault, []Rule{on(refuse, "spam/list/bl")}, lists, true},
		{"for some", ProfileDefault, []Rule{scoped}, lists, true},
		{"that takes the message", ProfileDefault, []Rule{late}, lists, false},
		{"that only watches", ProfileDefault, []Rule{watched}, lists, false},
		{"behind one that delivers", ProfileDefault, []Rule{on(deliver, "spam/*"), on(refuse, "spam/list/bl")}, lists, false},
		{"behind one that delivers one list", ProfileDefault, []Rule{on(deliver, "spam/list/white"), on(refuse, "spam/list/*")}, lists, true},
		{"behind one for all mail", ProfileStrict, []Rule{{}}, lists[:1], false},
		{"on the score", ProfileDefault, []Rule{{Grounds: Grounds{When: []Condition{score}}, Outcome: refuse}}, lists, false},
		{"nothing to be found", ProfileStrict, nil, nil, false},
	} {
		rules, err := Profile(test.profile)
		if err != nil {
			t.Fatal(err)
		}
		p, err := New(append(test.own, rules...), Local{})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.RefusesOn(test.on); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

// Where nothing is foreseen nothing is refused, whatever the rules are.
func TestForesightHolds(t *testing.T) {
	foreseen, refused := 0, 0
	for seed := range uint64(3000) {
		d := newDice(seed)
		p, in := d.policy(t), d.input(3)
		in.Stage = scan.StageRcpt
		var listed []scan.Rule
		for i := range in.Found {
			in.Found[i].Part = scan.WholeMessage
			listed = append(listed, scan.Rule{Name: in.Found[i].Rule, Kind: in.Found[i].Kind})
		}
		answer := p.Decide(in).Answer
		if answer != Deliver {
			refused++
		}
		if p.Refuses(scan.StageRcpt) || p.RefusesOn(listed) {
			continue
		}
		if foreseen++; answer != Deliver {
			t.Errorf("seed %d: %v was not foreseen", seed, answer)
		}
	}
	if foreseen < 100 || refused < 100 {
		t.Errorf("%d times nothing was foreseen, %d times something refused: that shows little", foreseen, refused)
	}
}
