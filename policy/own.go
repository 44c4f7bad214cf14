package policy

// OwnLimit is the limit that a person has set for the score of mail to it.
type OwnLimit struct {
	Owner string // the main address of the person
	Score float64
}

// Record returns the limit as records have it.
func (l *OwnLimit) Record() *RecordLimit {
	if l == nil {
		return nil
	}
	return &RecordLimit{l.Owner, l.Score}
}

// ownWord is the word for it in conditions.
const ownWord = "own"

// ScoreAtLeastOwn asks for a sum of all scores that the recipient does not want any more; standard is the
// limit of those who have set none.
func ScoreAtLeastOwn(standard float64) Condition {
	return Condition{compare: ">=", limit: standard, own: true}
}

// Own reports whether the condition goes by the limit that a recipient has set.
func (c Condition) Own() bool { return c.own }

// owns reports whether any of the rule's conditions goes by what a recipient has set.
func (r Rule) owns() bool { return r.Grounds.Own() }

// Own reports whether any condition goes by the limit that a recipient has set.
func (g Grounds) Own() bool {
	for _, list := range [...][]Condition{g.When, g.Requires, g.Unless} {
		for _, c := range list {
			if c.own {
				return true
			}
		}
	}
	return false
}

// limit returns the limit of the person who gets mail as a recipient, nil if there is none.
func (f *facts) limit(to recipient) *OwnLimit {
	if f.in.Lists == nil || !to.known {
		return nil
	}
	known, ok := f.limits[to.text]
	if !ok {
		if l, set := f.in.Lists.Limit(to.text); set {
			known = &l
		}
		f.limits[to.text] = known
		f.steps++
	}
	return known
}

// ownHolds says whether a condition about a recipient's own limit holds.
func (f *facts) ownHolds(c Condition, to recipient) truth {
	if l := f.limit(to); l != nil {
		c.limit = l.Score
	}
	return f.once(f.complete() && to.known, c.holdsFor(f.score))
}

// ownBackground says whether those further conditions hold that go by a recipient's own limit.
func (r *rule) ownBackground(f *facts, to recipient) truth {
	t := yes
	for _, c := range r.Grounds.Requires {
		if c.own {
			t = min(t, f.ownHolds(c, to))
		}
	}
	for _, c := range r.Grounds.Unless {
		if c.own {
			t = min(t, f.ownHolds(c, to).not())
		}
	}
	return t
}

// aboutOwn says whether a recipient's own limit gives the rule a reason to be about the message itself.
func (r *rule) aboutOwn(f *facts, to recipient) truth {
	t := no
	for _, c := range r.Grounds.When {
		if c.own {
			t = max(t, f.ownHolds(c, to))
		}
	}
	return t
}

// ownLimit returns the limit by which it was decided for a recipient, whether the score reached it or not:
// nil if no rule asked for it.
func (f *facts) ownLimit(to recipient) *OwnLimit {
	if !f.complete() || !f.asksOwn[to.text] {
		return nil
	}
	return f.limits[to.text]
}
