package policy

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/milterscan/milterscan/scan"
)

// dice makes random rules and findings, the same for the same seed.
type dice struct{ *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 1))} }

func pick[T any](d dice, list ...T) T { return list[d.IntN(len(list))] }

func (d dice) findings(n int) []scan.Finding {
	var list []scan.Finding
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range finds {
			if !yield(name) {
				return
			}
		}
	})
	for range n {
		f := finds[pick(d, names...)]
		f.Part = d.IntN(len(parts)+1) - 1
		list = append(list, f)
	}
	return list
}

func (d dice) conditions() []Condition {
	var list []Condition
	for range 1 + d.IntN(2) {
		list = append(list, pick(d, Named("attachment/*"), Named("archive/e*"), Named("*"), OfKind(scan.Infected), OfKind(scan.Failed), OfKind(scan.Note)))
	}
	return list
}

func (d dice) rule(place int) Rule {
	r := Rule{Ref: RuleRef{Name: fmt.Sprint("rule ", place)}, Mode: pick(d, Decides, Decides, Decides, Adds, Watches)}
	r.Scope.To = pick(d, nil, nil, []AddressPattern{pattern("a@ours.example")}, []AddressPattern{pattern("@ours.example")})
	r.Scope.Direction = pick(d, 0, 0, Inbound, Outbound, Internal|Inbound)
	if d.IntN(4) > 0 {
		r.Grounds.When = d.conditions()
	}
	o := &r.Outcome
	if r.Mode != Adds {
		o.Answer = Answer(d.IntN(int(Reject) + 1))
	}
	o.Keep = o.Answer != Tempfail && d.IntN(3) == 0
	if o.Answer == Deliver || o.Answer == Hold {
		o.Tag = pick(d, "", "{A}", "{B}")
		o.Add = pick(d, nil, []string{"log@ours.example"})
		o.Only = pick(d, nil, nil, nil, []string{"admin@ours.example"})
		o.Headers = pick(d, nil, marked.Headers)
		if len(r.Grounds.When) > 0 && r.Mode != Adds {
			o.Edit = pick(d, NoEdit, Rename, Disarm, Clean, Replace)
		}
	}
	return r
}

func (d dice) policy(t testing.TB) *Policy {
	if d.IntN(5) == 0 {
		return profile(t, pick(d, Profiles()...))
	}
	var rules []Rule
	for i := range 1 + d.IntN(6) {
		rules = append(rules, d.rule(i))
	}
	return mustNew(t, rules)
}

func (d dice) input(findings int) Input {
	in := pick(d, inbound(), outbound())
	in.Envelope.Recipients = pick(d, nil, []string{"a@ours.example"}, []string{"a@ours.example", "b@ours.example", "x@else.example"})
	in.Found = d.findings(findings)
	in.Fixed = pick(d, nil, nil, []int{1}, []int{scan.WholeMessage})
	return in
}

// anonymous is a decision without the indexes of findings, which depend on
// their order, and with what they point at instead.
func anonymous(in Input, d Decision) Decision {
	d.Verdicts = slices.Clone(d.Verdicts)
	for i := range d.Verdicts {
		v := &d.Verdicts[i]
		v.Matches = nil
		if v.Because != itself {
			v.Rule.Name += fmt.Sprint(in.Found[v.Because])
		}
		v.Because = 0
	}
	d.Edits = slices.Clone(d.Edits)
	for i := range d.Edits {
		for _, f := range d.Edits[i].Found {
			d.Edits[i].Rule.Name += fmt.Sprint(in.Found[f])
		}
		d.Edits[i].Found = nil
	}
	d.Notices = slices.Clone(d.Notices)
	for i := range d.Notices {
		d.Notices[i].Finding = 0
	}
	return d
}

func TestOrderOfFindingsDoesNotMatter(t *testing.T) {
	for seed := range uint64(1500) {
		d := newDice(seed)
		p, in := d.policy(t), d.input(d.IntN(6))
		want := anonymous(in, p.Decide(in))
		mixed := in
		mixed.Found = slices.Clone(in.Found)
		d.Shuffle(len(mixed.Found), func(i, j int) { mixed.Found[i], mixed.Found[j] = mixed.Found[j], mixed.Found[i] })
		if got := anonymous(mixed, p.Decide(mixed)); !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: the findings %v give\n%+v\nin another order\n%+v", seed, in.Found, want, got)
		}
	}
}

// TestOneMoreFindingMakesNothingLaxer holds for rules that do not ask for the
// absence of findings.
func TestOneMoreFindingMakesNothingLaxer(t *testing.T) {
	for seed := range uint64(1500) {
		d := newDice(seed)
		p, in := d.policy(t), d.input(d.IntN(5))
		before := p.Decide(in)
		in.Found = append(in.Found, d.findings(1)...)
		after := p.Decide(in)
		for i, v := range before.Verdicts {
			if after.Verdicts[i].Outcome.Answer < v.Outcome.Answer && !isWithheld(in, after.Verdicts[i]) {
				t.Fatalf("seed %d: with %v more, %v becomes %v for %q", seed, in.Found[len(in.Found)-1], v.Outcome.Answer, after.Verdicts[i].Outcome.Answer, v.Recipient)
			}
		}
	}
}

// isWithheld reports whether a virus is the reason why the recipient does not get
// the mail. That outranks all else: what the rules say of infected mail may then
// be to discard or hold it, and nothing is let through.
func isWithheld(in Input, v Verdict) bool {
	return v.Outcome.Answer >= Hold && v.Because != itself && in.Found[v.Because].Kind == scan.Infected
}

func TestDecideIsPure(t *testing.T) {
	for seed := range uint64(500) {
		d := newDice(seed)
		p, in := d.policy(t), d.input(4)
		again := newDice(seed)
		again.policy(t)
		copied := again.input(4)
		first := p.Decide(in)
		if !reflect.DeepEqual(in, copied) {
			t.Fatalf("seed %d: the input was changed", seed)
		}
		if second := p.Decide(in); !reflect.DeepEqual(first, second) {
			t.Fatalf("seed %d: the second time\n%+v, the first time\n%+v", seed, second, first)
		}
	}
}

// TestDecisionsHoldTogether checks what every decision must keep to, whatever
// the rules.
func TestDecisionsHoldTogether(t *testing.T) {
	for seed := range uint64(1500) {
		d := newDice(seed)
		p, in := d.policy(t), d.input(d.IntN(6))
		got := p.Decide(in)
		goesOn := got.Answer == Deliver || got.Answer == Hold
		changes := len(got.Drop) + len(got.Add) + len(got.Edits) + len(got.Headers) + len(got.Tag)
		switch {
		case !goesOn && changes > 0:
			t.Fatalf("seed %d: %v and changes: %+v", seed, got.Answer, got)
		case got.Answer == Tempfail && got.Keep:
			t.Fatalf("seed %d: a copy of mail that comes again", seed)
		case (got.Answer == Reject || got.Answer == Tempfail) != (got.Reply.Code != 0):
			t.Fatalf("seed %d: %v with the reply %q", seed, got.Answer, got.Reply)
		case got.Pending:
			t.Fatalf("seed %d: pending at the end", seed)
		case goesOn && len(got.Drop) == len(in.Envelope.Recipients) && len(got.Drop) > 0 && len(got.Add) == 0:
			t.Fatalf("seed %d: nobody gets what goes on", seed)
		}
		for i, e := range got.Edits {
			if slices.Contains(in.Fixed, e.Part) || slices.Contains(in.Fixed, scan.WholeMessage) || i > 0 && got.Edits[i-1].Part >= e.Part {
				t.Fatalf("seed %d: edits %+v with %v fixed", seed, got.Edits, in.Fixed)
			}
		}
	}
}

// TestEarlyRefusalsStand checks that what is refused early would be refused at
// the end, whatever else turns up.
func TestEarlyRefusalsStand(t *testing.T) {
	refused := 0
	for seed := range uint64(3000) {
		d := newDice(seed)
		p, in := d.policy(t), d.input(d.IntN(3))
		in.Fixed = nil
		in.Envelope.Recipients = []string{pick(d, "a@ours.example", "b@ours.example", "x@else.example")}
		end := in
		in.Stage = pick(d, scan.StageConnect, scan.StageMail, scan.StageRcpt)
		if in.Stage < scan.StageMail {
			in.Envelope.AuthUser = ""
		}
		early := p.Decide(in)
		if early.Answer == Deliver {
			continue
		}
		refused++
		end.Found = append(slices.Clone(in.Found), d.findings(2)...)
		if got := p.Decide(end); got.Verdicts[0].Outcome.Answer < early.Answer && !isWithheld(end, got.Verdicts[0]) {
			t.Fatalf("seed %d: %v at %v, %v at the end", seed, early.Answer, in.Stage, got.Answer)
		}
	}
	if refused < 100 {
		t.Errorf("only %d early refusals were tried", refused)
	}
}

func BenchmarkDecide(b *testing.B) {
	recipients := func(n int) []string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf("user%d@domain%d.example", i, i%50))
		}
		return list
	}
	rules := func(n int) []Rule {
		var list []Rule
		for i := range n {
			list = append(list, toRule(fmt.Sprint(i), fmt.Sprintf("@domain%d.example", i), Outcome{Tag: "{X}"}))
			list[i].Grounds.When = kind(scan.Suspicious)
		}
		return list
	}
	for _, size := range []struct{ rules, recipients int }{{0, 1}, {100, 1}, {10_000, 1}, {0, 1000}, {10_000, 1000}} {
		b.Run(fmt.Sprintf("%d-rules-%d-recipients", size.rules, size.recipients), func(b *testing.B) {
			p := profile(b, ProfileDefault, rules(size.rules)...)
			in := inbound("macro", "untidy", "ambiguous", "damaged")
			in.Envelope.Recipients = recipients(size.recipients)
			b.ReportAllocs()
			for b.Loop() {
				p.Decide(in)
			}
		})
		b.Run(fmt.Sprintf("explain/%d-rules-%d-recipients", size.rules, size.recipients), func(b *testing.B) {
			p := profile(b, ProfileDefault, rules(size.rules)...)
			in := inbound("macro", "untidy", "ambiguous", "damaged")
			in.Envelope.Recipients = recipients(size.recipients)
			d := p.Decide(in)
			for b.Loop() {
				p.Alternatives(in, d, func() bool { return false })
			}
		})
	}
}
