package policy

import (
	"cmp"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan"
)

// ground is one reason for a verdict: a rule that was applied to a subject, and
// its outcome.
type ground struct {
	rule    *rule
	subject int      // itself or a group
	outcome *Outcome // the rule's, or its Else
}

// judgement is a verdict in the making, the same for all recipients that the
// same rules hold for.
type judgement struct {
	Verdict
	grounds []ground
	watches map[*rule]bool // that matched
	first   *ground        // the strongest, nil if there is none
	pending bool
	anyway  truth // whether a rule refuses the message whatever was found in it
}

// judged is the judgement for one recipient.
type judged struct {
	*judgement
	recipient  string
	directions Directions
	listed     *ListEntry // by which it was decided; nil if by none
	limit      *OwnLimit  // the same
}

// refuses reports whether this recipient is not to get the message at all.
func (j judged) refuses() bool { return j.Outcome.Answer >= Discard }

// judge applies to each subject the first rule that matches it, and adds up
// what they want.
func (f *facts) judge(rules []candidate, about subjects) *judgement {
	j := &judgement{Verdict: Verdict{Because: itself}, anyway: refusedAnyway(rules)}
	for _, list := range [...][]int{about.shared, about.own} {
		for _, s := range list {
			f.judgeSubject(j, rules, s)
		}
	}
	slices.SortStableFunc(j.grounds, f.compareGrounds)
	if len(j.grounds) > 0 {
		j.first = &j.grounds[0]
		j.Rule, j.Because = j.first.rule.Ref, f.reason(*j.first)
	}
	j.Applied = namesOf(j.grounds)
	for _, c := range rules {
		if j.watches[c.rule] {
			j.Watched = append(j.Watched, c.Ref)
		}
	}
	j.Outcome = f.addUp(j.grounds)
	return j
}

// watch notes that a rule has matched that only watches; few do.
func (j *judgement) watch(r *rule) {
	if j.watches == nil {
		j.watches = map[*rule]bool{}
	}
	j.watches[r] = true
}

// namesOf lists the rules of the grounds, those first that count most.
func namesOf(grounds []ground) []RuleRef {
	var list []RuleRef
	seen := map[*rule]bool{}
	for _, g := range grounds {
		if !seen[g.rule] {
			seen[g.rule] = true
			list = append(list, g.rule.Ref)
		}
	}
	return list
}

// judgeSubject walks the rules for one subject. A rule that may still match
// only matters if it is milder than the one that does: then there is no
// answer yet. What rules add to all mail is added to one that a rule that yields lets through.
func (f *facts) judgeSubject(j *judgement, rules []candidate, subject int) {
	decided, yielded, mildest := false, false, Reject
	for _, c := range rules {
		t := min(c.truth, f.concerned(c.rule, subject))
		if subject == itself {
			t = max(t, min(c.truth, c.own))
		}
		if t != no && subject == itself && c.Yields && c.opens() {
			t = min(t, j.anyway.not())
		}
		if t == perhaps && c.Mode == Decides && !decided {
			mildest = min(mildest, c.mildest())
		}
		if t != yes {
			continue
		}
		decides := false
		if !decided && c.Mode == Decides {
			decided, yielded = true, c.Yields && subject == itself
			decides = mildest >= c.Outcome.Answer
			j.pending = j.pending || !decides
		}
		f.list(j, c.rule, subject, decides)
		if c.Mode == Watches {
			j.watch(c.rule)
		}
		if decides || c.Mode == Adds && (!decided || yielded && c.blanket()) {
			j.grounds = append(j.grounds, ground{c.rule, subject, f.outcome(c.rule, subject)})
		}
	}
}

// refusedAnyway says whether any rule that does not yield refuses the message
// whatever was found in it.
func refusedAnyway(rules []candidate) truth {
	t := no
	for _, c := range rules {
		if c.Mode == Decides && c.blanket() && !c.Yields && c.Outcome.Answer != Deliver {
			t = max(t, c.truth)
		}
	}
	return t
}

// Bounds on the matches that a decision lists. They are for people to read, and
// nothing is decided by them.
const (
	maxMatches        = 10_000 // in all verdicts together
	maxVerdictMatches = 200
)

// list notes that a rule has matched.
func (f *facts) list(j *judgement, r *rule, subject int, decides bool) {
	if f.room == 0 || len(j.Matches) >= maxVerdictMatches {
		j.More++
		return
	}
	f.room--
	m := Match{Rule: r.Ref, Finding: itself, Outcome: &r.Outcome, Decides: decides, Observed: r.Mode == Watches}
	if subject != itself {
		m.Finding, m.Alike = f.groups[subject].first, len(f.groups[subject].members)-1
	}
	j.Matches = append(j.Matches, m)
}

// concerned asks a rule, once, whether it is about a subject.
func (f *facts) concerned(r *rule, subject int) truth {
	begins := &f.answerOf(r).about
	if *begins == 0 {
		*begins = int32(len(f.answers)) + 1
		f.answers = append(f.answers, make([]int8, len(f.groups)+1)...)
	}
	f.steps++
	at := int(*begins) + subject
	if f.answers[at] == 0 {
		f.answers[at] = int8(r.concerns(f, subject)) + 1
	}
	return truth(f.answers[at] - 1)
}

// rejected is what becomes of a part that cannot be edited if the rule has no Else.
var rejected = Outcome{Answer: Reject}

// outcome returns the outcome of a rule for a subject: its Else where it would edit
// a part that cannot be edited.
func (f *facts) outcome(r *rule, subject int) *Outcome {
	o := &r.Outcome
	if o.Edit == NoEdit || subject != itself && !f.isFixed(&f.groups[subject], o.Edit) {
		return o
	}
	if o.Else == nil {
		return &rejected
	}
	return o.Else
}

// reason returns the finding to name: none where the rule looks at none.
func (f *facts) reason(g ground) int {
	if g.rule.blanket() || g.subject == itself {
		return itself
	}
	return f.groups[g.subject].first
}

// gravity orders the kinds of finding by what to name first.
var gravity = [...]int{
	scan.Note:        1,
	scan.Malformed:   2,
	scan.Ambiguous:   3,
	scan.Suspicious:  4,
	scan.Failed:      5,
	scan.Unscannable: 6,
	scan.Forbidden:   7,
	scan.Infected:    8,
}

// Gravity orders kinds of finding by what to name first: the gravest is a virus.
func Gravity(k scan.Kind) int {
	if k < 0 || int(k) >= len(gravity) {
		return 0
	}
	return gravity[k]
}

func (f *facts) gravity(g ground) int {
	if i := f.reason(g); i != itself {
		return Gravity(f.in.Found[i].Kind)
	}
	return 0
}

// infects reports whether the ground keeps mail from its recipient for a virus.
// Such a ground outranks all others, whatever these want: a rule about infected
// mail decides about it even if a name in it is forbidden too.
func (f *facts) infects(g ground) bool {
	return g.outcome.Answer >= Hold && f.isInfection(f.reason(g))
}

// does reports whether the ground does anything but let the mail through.
func (g ground) does() bool { return g.outcome.Answer != Deliver || !g.outcome.silent() }

func after(b bool) int {
	if b {
		return 0
	}
	return 1
}

// compareGrounds puts the strongest ground first: a virus, then by answer, by
// whether anything is done, by kind, by the place of the rule, and then by what the
// finding says, so that the order of the findings does not matter.
func (f *facts) compareGrounds(a, b ground) int {
	return cmp.Or(
		cmp.Compare(after(f.infects(a)), after(f.infects(b))),
		cmp.Compare(b.outcome.Answer, a.outcome.Answer),
		cmp.Compare(after(a.does()), after(b.does())),
		cmp.Compare(f.gravity(b), f.gravity(a)),
		cmp.Compare(a.rule.place, b.rule.place),
		f.compareFindings(f.firstOf(a), f.firstOf(b)),
	)
}

// firstOf returns the finding a ground is about, or itself.
func (f *facts) firstOf(g ground) int {
	if g.subject == itself {
		return itself
	}
	return f.groups[g.subject].first
}

func (f *facts) compareFindings(a, b int) int {
	if a == itself || b == itself {
		return cmp.Compare(a, b)
	}
	x, y := f.in.Found[a], f.in.Found[b]
	return cmp.Or(cmp.Compare(x.Part, y.Part), strings.Compare(x.Rule, y.Rule), strings.Compare(x.Scanner, y.Scanner),
		cmp.Compare(x.Kind, y.Kind), strings.Compare(x.Detail, y.Detail), cmp.Compare(x.Score, y.Score))
}

// addUp makes one outcome of all grounds, strongest first: the first one's
// answer and reply, and the effects of all.
func (f *facts) addUp(grounds []ground) Outcome {
	var o Outcome
	if len(grounds) > 0 {
		o.Answer, o.Reply = grounds[0].outcome.Answer, grounds[0].outcome.Reply
	}
	if f.appealable(grounds) {
		o.Appeal = grounds[0].outcome.Appeal
	}
	var tags []string
	var last *Outcome
	for _, g := range inRuleOrder(grounds) {
		if len(o.Headers) < maxHeaders {
			o.Headers = addNew(o.Headers, f.headers(g)...)
		}
		if g.outcome == last { // all its other effects are there
			continue
		}
		last = g.outcome
		o.Keep = o.Keep || g.outcome.Keep
		o.Edit = max(o.Edit, g.outcome.Edit)
		o.Add = addNew(o.Add, g.outcome.Add...)
		o.Only = addNew(o.Only, g.outcome.Only...)
		o.Notify = addNew(o.Notify, g.outcome.Notify...)
		if g.outcome.Tag != "" {
			tags = addNew(tags, g.outcome.Tag)
		}
	}
	o.Tag = strings.Join(tags, " ")
	o.Headers = o.Headers[:min(len(o.Headers), maxHeaders)]
	return o
}

// inRuleOrder sorts effects as the rules are, which is how people expect to
// see them.
func inRuleOrder(grounds []ground) []ground {
	list := slices.Clone(grounds)
	slices.SortStableFunc(list, func(a, b ground) int { return cmp.Compare(a.rule.place, b.rule.place) })
	return list
}

// addNew appends those of more that list does not have yet.
func addNew[T comparable](list []T, more ...T) []T {
	for _, v := range more {
		if !slices.Contains(list, v) {
			list = append(list, v)
		}
	}
	return list
}
