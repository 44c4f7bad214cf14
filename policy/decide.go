package policy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

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
	Now      time.Time
	Found    []scan.Finding
	Parts    []scan.Part // to name the attachment in the reply
	// Fixed are the parts that cannot be edited, such as those of a signed
	// message: what a rule would have edited gets the rule's Else instead.
	// scan.WholeMessage among them stands for all parts.
	Fixed []int
	// Refused are edits that were tried and could not be made, by kind and part:
	// they get the rule's Else as well.
	Refused []Edit
	// Without names rules that are left out for this message, such as the one
	// that kept it when it is released.
	Without []string
}

// Policy is a list of rules made ready. It never changes, and may be used by
// any number of goroutines at once.
type Policy struct {
	rules []*rule
	index index
	local Local
	ours  map[string]bool
}

// New makes a policy of rules in their order. The error names every rule that
// contradicts itself.
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
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	p.index = newIndex(p.rules)
	return p, nil
}

// Refuses reports whether Decide may refuse at a stage before anything was
// found. Where it does not, only the findings of that stage can.
func (p *Policy) Refuses(s scan.Stage) bool {
	return slices.ContainsFunc(p.rules, func(r *rule) bool { return r.mayRefuse(s) })
}

// Decide gives the one answer for what is known at a stage. It is a pure
// function: the same input gives the same decision, and the order of the
// findings makes no difference to it. The input is only read.
//
// At a stage before the message it refuses only what no rule can let through
// any more; where one still may, the decision is to deliver, and Pending.
func (p *Policy) Decide(in Input) Decision {
	f := p.facts(in)
	general := p.forMail(f)
	seen := map[string]*judgement{}
	var all []judged
	for _, to := range f.recipients() {
		rules := p.candidates(f, general, to)
		subjects := f.subjects(to)
		key := signature(rules, subjects)
		if seen[key] == nil {
			seen[key] = f.judge(rules, subjects)
		}
		all = append(all, judged{seen[key], to.text, f.directions(to)})
	}
	d := f.settle(all)
	d.Complete = !scan.Incomplete(in.Found)
	return d
}

// candidate is a rule that holds, or may, for the mail at hand.
type candidate struct {
	*rule
	truth truth
}

// forMail asks each rule, once, for all it can say without a recipient.
func (p *Policy) forMail(f *facts) []truth {
	list := make([]truth, len(p.rules))
	for i, r := range p.rules {
		list[i] = r.forMail(f)
	}
	return list
}

// candidates are the rules that hold, or may, for the mail as it goes to one
// recipient.
func (p *Policy) candidates(f *facts, general []truth, to recipient) []candidate {
	var list []candidate
	add := func(place int) {
		r := p.rules[place]
		if t := min(general[place], r.forRecipient(f, to)); t != no {
			list = append(list, candidate{r, t})
		}
	}
	if !to.known {
		for place := range p.rules {
			add(place)
		}
		return list
	}
	for _, place := range p.index.places(to.address) {
		add(place)
	}
	return list
}

// signature tells lists of candidates and of subjects apart: recipients with the
// same lists get the same verdict, and most of a thousand recipients do.
func signature(rules []candidate, about subjects) string {
	var b []byte
	for _, c := range rules {
		b = binary.AppendUvarint(b, uint64(c.place)<<2|uint64(c.truth))
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

func (f *facts) subjects(to recipient) subjects {
	about := subjects{shared: f.shared}
	for _, s := range f.personal {
		if f.in.Found[s].Recipient == to.text {
			about.own = append(about.own, s)
		}
	}
	return about
}

// isFixed reports whether an edit of a part cannot be made. The message as a
// whole has none: an edit is of a part.
func (f *facts) isFixed(part int, kind EditKind) bool {
	if part < 0 || slices.Contains(f.in.Fixed, part) || slices.Contains(f.in.Fixed, scan.WholeMessage) {
		return true
	}
	return slices.ContainsFunc(f.in.Refused, func(e Edit) bool { return e.Part == part && e.Kind == kind })
}

// Edits reports whether any rule may edit a part, or put a banner into one.
func (p *Policy) Edits() bool {
	return slices.ContainsFunc(p.rules, func(r *rule) bool { return r.Outcome.Edit != NoEdit || r.Outcome.Banner != "" })
}
