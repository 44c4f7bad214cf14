package policy

import (
	"fmt"
	"net/netip"
	"reflect"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// linear returns the policy as it is without an index: each rule is asked.
func linear(p *Policy) *Policy {
	q := *p
	q.index = newIndex(p.rules, nil)
	q.byName.policy, q.byName.index = &q, newIndex(p.byName.rules, nil)
	return &q
}

func network(s string) Network { return Network{netip.MustParsePrefix(s)} }

// scoped returns a rule with some conditions that rules can be looked up by, and some that they cannot.
func (d dice) scoped(place int) Rule {
	r := d.rule(place)
	senders := func() []AddressPattern {
		return pick(d, nil, nil, patterns("eve@sender.example"), patterns("@sender.example", "x@y.example"), patterns(".example"),
			patterns("e*@sender.example"), patterns("eve@*"), patterns("*"), patterns("<>"), patterns("group:staff"), patterns("@other.example"), patterns("*e@*"))
	}
	s := &r.Scope
	s.From, s.HeaderFrom = senders(), pick(d, nil, nil, senders())
	s.To = pick(d, s.To, senders(), patterns("b@*"), patterns(".example"), patterns("group:staff"))
	s.NotTo = pick(d, nil, nil, nil, patterns("b@ours.example"))
	s.Client = pick(d, nil, nil, []Network{network("192.0.2.0/24")}, []Network{network("192.0.2.7/32"), network("2001:db8::/32")}, []Network{network("198.51.100.0/24")})
	s.Auth = pick(d, nil, nil, []Login{NoLogin}, []Login{"*"}, []Login{"Joe"}, []Login{"j*", "ann"}, []Login{"ann"})
	s.Country = pick(d, nil, nil, nil, []Country{"DE"}, []Country{"AT", "CH"})
	s.ASN = pick(d, nil, nil, nil, []uint32{64496}, []uint32{64497, 64498})
	for _, drop := range []func(){
		func() { s.From = nil }, func() { s.HeaderFrom = nil }, func() { s.To = nil }, func() { s.Client = nil }, func() { s.Auth = nil },
		func() { s.Country = nil }, func() { s.ASN = nil }, func() { s.Direction = 0 },
	} {
		if d.IntN(4) > 0 { // or hardly any rule would be for any mail
			drop()
		}
	}
	if d.IntN(8) == 0 {
		s.Lists = ByList{From: []ListName{pick(d, Allowed, Blocked)}}
	}
	when := []string{"attachment/name", "attachment/*", "arch?ve/ratio", "*/*", "virus/*", "infected", "note", "spam/list >= 5", "score >= 5", "score >= own 5", "spam/none"}
	if d.IntN(2) == 0 {
		r.Grounds.When = nil
		for range 1 + d.IntN(2) {
			var c Condition
			if err := c.UnmarshalText([]byte(pick(d, when...))); err != nil {
				panic(err)
			}
			r.Grounds.When = append(r.Grounds.When, c)
		}
	}
	r.Grounds.Part = pick(d, nil, nil, nil, []string{"*.exe"})
	r.Grounds.Requires = pick(d, nil, nil, nil, nil, nil, named("spam/*"))
	r.Yields = d.IntN(6) == 0
	return r
}

// looked returns mail that some of these rules are for, at any stage.
func (d dice) looked() Input {
	in := d.input(d.IntN(5))
	e := &in.Envelope
	in.Stage = scan.Stage(d.IntN(int(scan.StageMessage) + 1))
	e.Client = netip.MustParseAddrPort(pick(d, "192.0.2.7:25", "192.0.2.9:25", "[2001:db8::1]:25", "[::ffff:192.0.2.7]:25", "203.0.113.1:25"))
	e.Sender = pick(d, "eve@sender.example", "Eve@sub.sender.example", "", "joe@ours.example", "root")
	e.AuthUser = pick(d, "", "", "joe", "ann")
	e.Place = pick(d, scan.Place{}, scan.Place{Country: "DE", ASN: 64496}, scan.Place{Country: "CH", ASN: 64498})
	if d.IntN(2) == 0 {
		in.Header = entity.Header{Fields: []entity.Field{{Name: "From", Value: " Eve <eve@sender.example>, bob@other.example"}}}
	}
	in.People = pick(d, nil, People(staff{}))
	if d.IntN(4) == 0 {
		in.Without = []string{fmt.Sprint("rule ", d.IntN(8))}
	}
	return in
}

// staff are people of whom some are in a group.
type staff struct{}

func (staff) Group(name, address string) bool {
	return name == "staff" && (address == "eve@sender.example" || address == "a@ours.example")
}

// TestIndexFindsWhatHolds decides about random mail by random rules, looked up and asked one by one.
func TestIndexFindsWhatHolds(t *testing.T) {
	decided, fewer := 0, 0
	for seed := range uint64(4000) {
		d := newDice(seed)
		var rules []Rule
		for i := range 1 + d.IntN(12) {
			if r := d.scoped(i); r.Check() == nil {
				rules = append(rules, r)
			}
		}
		p, in := mustNew(t, rules), d.looked()
		p.local.Relays = pick(d, nil, []Network{network("192.0.2.0/28")})
		all := linear(p)
		got, steps := p.decide(&in)
		want, most := all.decide(&in)
		if !reflect.DeepEqual(alike(in, got), alike(in, want)) {
			t.Fatalf("seed %d: at %v, by the index\n%+v\nrule by rule\n%+v", seed, in.Stage, got, want)
		}
		if a, b := p.Named(in.Envelope, parts), all.Named(in.Envelope, parts); !reflect.DeepEqual(a, b) {
			t.Fatalf("seed %d: parts %v, rule by rule %v", seed, a, b)
		}
		interest := p.Interest([]scan.Rule{{Name: "spam/list"}})
		asked := interest
		asked.index = newIndex(interest.rules, nil)
		if a, b := interest.Covers(in.Envelope), asked.Covers(in.Envelope); a != b {
			t.Fatalf("seed %d: interest is %v, rule by rule %v", seed, a, b)
		}
		if got.Rule != (RuleRef{}) {
			decided++
		}
		if steps < most {
			fewer++
		}
	}
	if decided < 1000 || fewer < 1000 {
		t.Errorf("%d mails were decided by a rule, %d with less work", decided, fewer)
	}
}

// alike is a decision without what depends on how findings are put together for rules that are for none of them.
func alike(in Input, d Decision) Decision {
	d = anonymous(in, d)
	for i := range d.Verdicts {
		d.Verdicts[i].More = 0
	}
	return d
}

// TestRulesForOtherMailCostNothing has ten and thousands of rules that name other mail than the one at hand.
func TestRulesForOtherMailCostNothing(t *testing.T) {
	other := map[string]func(r *Rule, i int){
		"sender":      func(r *Rule, i int) { r.Scope.From = patterns(fmt.Sprintf("x@s%d.example", i)) },
		"domain":      func(r *Rule, i int) { r.Scope.From = patterns(fmt.Sprintf("@s%d.example", i)) },
		"subdomains":  func(r *Rule, i int) { r.Scope.From = patterns(fmt.Sprintf(".s%d.example", i)) },
		"some of one": func(r *Rule, i int) { r.Scope.From = patterns(fmt.Sprintf("x*@s%d.example", i)) },
		"any domain":  func(r *Rule, i int) { r.Scope.From = patterns(fmt.Sprintf("x%d@*", i)) },
		"author":      func(r *Rule, i int) { r.Scope.HeaderFrom = patterns(fmt.Sprintf("@s%d.example", i)) },
		"recipient":   func(r *Rule, i int) { r.Scope.To = patterns(fmt.Sprintf("x@s%d.example", i)) },
		"client":      func(r *Rule, i int) { r.Scope.Client = []Network{network(fmt.Sprintf("10.%d.%d.0/24", i/256, i%256))} },
		"login":       func(r *Rule, i int) { r.Scope.Auth = []Login{Login(fmt.Sprint("u", i))} },
		"system":      func(r *Rule, i int) { r.Scope.ASN = []uint32{uint32(i) + 1} },
		"finding":     func(r *Rule, i int) { r.Grounds.When = named(fmt.Sprintf("spam/x%d", i)) },
		"findings":    func(r *Rule, i int) { r.Grounds.When = named(fmt.Sprintf("spam/x%d/*", i)) },
		"ours, from": func(r *Rule, i int) {
			r.Scope.To, r.Scope.From = patterns("@ours.example"), patterns(fmt.Sprintf("@s%d.example", i))
		},
		"parts of theirs": func(r *Rule, i int) {
			r.Scope.From, r.Grounds.Part = patterns(fmt.Sprintf("@s%d.example", i)), []string{"*.exe"}
		},
	}
	for name, change := range other {
		for stage := scan.StageConnect; stage <= scan.StageMessage; stage++ {
			var costs []int
			for _, n := range []int{10, 3000} {
				var rules []Rule
				for i := range n {
					r := Rule{Ref: RuleRef{Name: fmt.Sprint(i)}, Outcome: refuse}
					change(&r, i)
					rules = append(rules, r)
				}
				in := inbound("exe", "spam")
				in.Stage = stage
				d, steps := mustNew(t, rules).decide(&in)
				if d.Answer != Deliver {
					t.Fatalf("%s: %d rules at %v: %v", name, n, stage, d.Answer)
				}
				costs = append(costs, steps)
			}
			if costs[0] != costs[1] {
				t.Errorf("%s: at %v, ten rules cost %d steps, thousands %d", name, stage, costs[0], costs[1])
			}
		}
	}
}

// TestWhoIsNotKnownYetMayBeAnybody has, at connect, rules that differ in the sender they name and in what else counts:
// none of them may be left out for another.
func TestWhoIsNotKnownYetMayBeAnybody(t *testing.T) {
	blocked := Rule{Ref: RuleRef{Name: "client"}, Scope: Scope{Client: []Network{network("192.0.2.0/24")}}, Outcome: refuse}
	elsewhere := fromRule("allowed", "b@sender.example", Outcome{})
	elsewhere.Scope.Client = []Network{network("203.0.113.0/24")}
	logged := fromRule("allowed", "b@sender.example", Outcome{})
	logged.Mode = Watches
	for name, c := range map[string]struct {
		first, second Rule
		want          Answer
	}{
		"both refuse":             {fromRule("a", "a@sender.example", refuse), fromRule("b", "b@sender.example", refuse), Reject},
		"the second lets through": {fromRule("a", "a@sender.example", refuse), fromRule("b", "b@sender.example", Outcome{}), Deliver},
		"the first lets through":  {fromRule("a", "a@sender.example", Outcome{}), fromRule("b", "b@sender.example", refuse), Deliver},
		"from elsewhere":          {elsewhere, fromRule("b", "b@sender.example", refuse), Reject},
		"elsewhere, then anybody": {elsewhere, fromRule("b", "b@sender.example", Outcome{}), Deliver},
		"only watches":            {logged, fromRule("b", "b@sender.example", refuse), Reject},
		"watches, then allows":    {logged, fromRule("b", "b@sender.example", Outcome{}), Deliver},
	} {
		in := inbound()
		in.Stage = scan.StageConnect
		p := mustNew(t, []Rule{c.first, c.second, blocked})
		if d := p.Decide(in); d.Answer != c.want {
			t.Errorf("%s: %v, not %v", name, d.Answer, c.want)
		}
	}
}
