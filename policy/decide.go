package policy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// Input is all that a decision depends on.
type Input struct {
	ID       string
	Stage    scan.Stage
	Envelope scan.Envelope
	Header   entity.Header
	Size     int64
	Found    []scan.Finding
	Parts    []scan.Part // to name the attachment in the reply
	// Fixed are the parts that cannot be edited, such as those of a signed
	// message: what a rule would have edited gets the rule's Else instead.
	// scan.WholeMessage among them means all parts.
	Fixed []int
	// Refused are edits that were tried and could not be made, by kind and part:
	// they get the rule's Else as well.
	Refused []Edit
	// Without names rules that are left out for this message, such as the one
	// that kept it when it is released.
	Without []string
	// People says who is in which group; nil: no person is in any.
	People People
	// Lists are the senders that people allow and block, and the limits they have set; nil: none.
	Lists Lists

	listed listed // what earlier decisions about the same parts have worked out
}

// Policy is a list of rules made ready. It never changes, and may be used by
// any number of goroutines at once.
type Policy struct {
	rules  []*rule
	parts  bool // whether any has patterns for parts
	byName some // those for parts whatever is found in them
	index  index
	local  Local
	ours   map[string]bool

	refuses, refusesListed [scan.StageMessage + 1]bool // see Refuses, and RefusesListed
	edits                  bool
}

// New returns a policy of the rules, in their order. The error names every rule
// that contradicts itself.
func New(rules []Rule, local Local) (*Policy, error) {
	p := &Policy{local: local, ours: map[string]bool{}}
	for _, d := range local.Domains {
		p.ours[string(d)] = true
	}
	var errs []error
	for i, r := range rules {
		if err := r.Check(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", r.Ref, err))
		}
		p.rules = append(p.rules, compile(r, i))
	}
	p.numberLists()
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	p.index = newIndex(p.rules, allFields)
	p.byName = p.some((*rule).byName)
	p.foresee()
	return p, nil
}

// Refuses reports whether Decide may refuse at a stage before anything was
// found. Where it does not, only the findings of that stage can.
func (p *Policy) Refuses(s scan.Stage) bool {
	return p.refuses[s]
}

// RefusesListed reports whether Decide may refuse at a stage by lists alone, if they have any
// entry. Where it does not, and Refuses says neither, only findings of that stage can.
func (p *Policy) RefusesListed(s scan.Stage) bool {
	return p.refusesListed[s]
}

// Decide returns the one decision for the input at its stage. It is a pure
// function: the same input gives the same decision, in whatever order the
// findings come. Decide does not change the input.
//
// At a stage before the message it refuses only mail that no rule can let through
// any more; while one still may, the decision is to deliver, and Pending.
func (p *Policy) Decide(in Input) Decision {
	d, _ := p.decide(&in)
	return d
}

// decide also returns the cost of the decision, in steps of some nanoseconds each.
// It is at most a number for each finding, each recipient and each rule for a
// recipient, and for each pair of a recipient's own list of rules and a group of
// findings: never findings times recipients.
func (p *Policy) decide(in *Input) (Decision, int) {
	f := p.facts(in)
	recipients := f.recipients()
	f.general = p.index.general(f)
	f.gather(p.lists(f, recipients))
	seen := map[string]*judgement{}
	all := make([]judged, 0, len(recipients))
	for _, to := range recipients {
		rules := p.candidates(f, to)
		subjects := subjects{f.shared, f.personal[to.text]}
		key := signature(rules, subjects)
		if seen[key] == nil {
			seen[key] = f.judge(rules, subjects)
		}
		all = append(all, judged{seen[key], to.text, to.directions, f.deciding(seen[key], to), f.ownLimit(to)})
	}
	d := f.settle(all)
	d.Complete = !scan.Incomplete(in.Found)
	return d, f.steps
}

// candidate is a rule that holds, or may, for the mail at hand.
type candidate struct {
	*rule
	truth truth
	own   truth // whether the recipient's own limit gives it a reason
}

// numberLists gives equal lists of part patterns the same number.
func (p *Policy) numberLists() {
	numbers := map[string]int{}
	for _, r := range p.rules {
		if len(r.parts) == 0 {
			continue
		}
		key := strings.Join(r.parts, "\x00")
		if _, ok := numbers[key]; !ok {
			numbers[key] = len(numbers)
		}
		r.list = numbers[key]
		p.parts = true
	}
}

// general asks a rule, once, for all it can say without a recipient.
func (p *Policy) general(f *facts, r *rule) truth {
	at := &f.answerOf(r).forAll
	if *at == 0 {
		f.steps++
		*at = recalled(r.forMail(f)) + 1
	}
	return truth(*at - 1)
}

// candidates returns the rules that hold, or may, for the mail as it goes to one
// recipient.
func (p *Policy) candidates(f *facts, to recipient) []candidate {
	var list []candidate
	for _, place := range merged(f.general, p.index.personal(f, to)) {
		f.steps++
		r := p.rules[place]
		t := p.general(f, r)
		if t != no {
			t = min(t, r.forRecipient(f, to))
		}
		if t != no {
			list = append(list, candidate{r, t, r.aboutOwn(f, to)})
		}
	}
	return list
}

// signature tells lists of candidates and of subjects apart: recipients with the
// same lists get the same verdict, and most of a thousand recipients do.
func signature(rules []candidate, about subjects) string {
	var b []byte
	for _, c := range rules {
		b = binary.AppendUvarint(b, uint64(c.place)<<4|uint64(c.own)<<2|uint64(c.truth))
	}
	b = binary.AppendUvarint(b, uint64(len(about.own)))
	for _, s := range about.own {
		b = binary.AppendUvarint(b, uint64(s))
	}
	return string(b)
}

// subjects are what rules are asked about for a recipient: the message itself,
// what was found in it, and what was found about that recipient alone.
type subjects struct{ shared, own []int }

// Edits reports whether any rule may edit a part, or put a banner into one.
func (p *Policy) Edits() bool { return p.edits }

// Keeps reports whether a copy of any message may be kept.
func (p *Policy) Keeps() bool {
	return slices.ContainsFunc(p.rules, func(r *rule) bool { return r.Outcome.Keep || r.Outcome.Else != nil && r.Outcome.Else.Keep })
}
