package policy

// anyLists are lists of which nothing is known: each may have anything.
type anyLists struct{}

func (anyLists) Owners(string) []string                       { return nil }
func (anyLists) Owned(string) Owned                           { return Owned{} }
func (anyLists) Entry(string, string, bool) (ListEntry, bool) { return ListEntry{}, false }
func (anyLists) Firm(bool) bool                               { return false }
func (anyLists) Limit(string) (OwnLimit, bool)                { return OwnLimit{}, false }

// listedFor says whether all conditions that go by lists hold for a recipient. Before the
// recipient is known they may, and mail from our own hosts is not refused by them before
// the message, which may be one that a person releases.
func (r *rule) listedFor(f *facts, to recipient) truth {
	t := yes
	if n := r.lists.Client; len(n) > 0 {
		t = min(t, either(len(r.Scope.Client) > 0, r.clientMatches(f), f.listed(to, n, asked{about: ofClient})))
	}
	if n := r.lists.From; t != no && len(n) > 0 {
		t = min(t, either(len(r.Scope.From) > 0, r.fromMatches(f), f.listed(to, n, asked{about: ofSender})))
	}
	if n := r.lists.HeaderFrom; t != no && len(n) > 0 {
		t = min(t, r.authorListed(f, to, n))
	}
	return t
}

// either returns whether one of two things holds, the first if there is such a thing at all.
func either(first bool, a, b truth) truth {
	if !first {
		return b
	}
	return max(a, b)
}

// listed says whether one of some lists has what a asks about, for a recipient.
func (f *facts) listed(to recipient, names []ListName, a asked) truth {
	_, unknown := f.in.Lists.(anyLists)
	switch {
	case f.in.Lists == nil:
		return no
	case unknown, !to.known, a.about == ofSender && !f.knowsSender():
		return perhaps
	}
	a.recipient = to.text
	s, t := f.standing(a), no
	for _, n := range names {
		t = max(t, s.says(n))
	}
	if t == yes && !f.complete() && f.trusted() != no {
		t = perhaps
	}
	return t
}

// authorListed says whether the addresses in From fields are listed.
func (r *rule) authorListed(f *facts, to recipient, names []ListName) truth {
	switch {
	case f.in.Lists == nil && len(r.Scope.HeaderFrom) == 0:
		return no
	case !f.complete():
		return perhaps
	}
	return r.headerFromMatches(f, func(a address) truth { return f.listed(to, names, asked{about: ofAuthor, author: a}) })
}

// deciding returns the entry by which a judgement came about, nil if by none.
func (f *facts) deciding(j *judgement, to recipient) *ListEntry {
	if f.in.Lists == nil {
		return nil
	}
	for _, g := range j.grounds {
		if g.rule.byList {
			if e := f.entryOf(g.rule.lists, to); e != nil {
				return e
			}
		}
	}
	return nil
}

// entryOf returns the first entry in some lists.
func (f *facts) entryOf(lists ByList, to recipient) *ListEntry {
	find := func(names []ListName, a asked) *ListEntry {
		if len(names) == 0 || f.listed(to, names, a) != yes {
			return nil
		}
		a.recipient = to.text
		return f.standing(a).entry
	}
	for _, e := range []*ListEntry{find(lists.Client, asked{about: ofClient}), find(lists.From, asked{about: ofSender})} {
		if e != nil {
			return e
		}
	}
	for _, a := range f.headerFrom() {
		if e := find(lists.HeaderFrom, asked{about: ofAuthor, author: a}); e != nil {
			return e
		}
	}
	return nil
}
