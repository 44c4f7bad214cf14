package policy

import (
	"slices"

	"github.com/milterscan/milterscan/scan"
)

// settle makes the one decision SMTP allows of the judgements for all
// recipients.
//
// The answer is a temporary failure if it is one for anybody: the MTA still has
// the message and will be back. It is a rejection only if it is one for
// everybody. If everybody refuses, but some by discarding, it is a discard. In
// all other cases those who refuse are dropped, and the rest get the message,
// held if that is so for any of them.
func (f *facts) settle(all []judged) Decision {
	d := Decision{Answer: overall(all)}
	if first := f.strongest(d.Answer, all); first != nil {
		d.Rule = first.rule.Ref
	}
	for _, j := range all {
		v := j.Verdict
		v.Recipient, v.Direction, v.Listed, v.Limit = j.recipient, j.directions, j.listed, j.limit
		d.Verdicts = append(d.Verdicts, v)
		d.Pending = d.Pending || j.pending
	}
	if !f.complete() {
		f.early(&d, all)
		return d
	}
	d.Pending = false
	d.Unmade = f.unmade(all)
	f.reply(&d, all)
	if d.Answer == Tempfail {
		return d // nothing is done yet; a copy would be kept at every attempt
	}
	d.Keep = slices.ContainsFunc(all, func(j judged) bool { return j.Outcome.Keep })
	d.Appeal = f.appealed(d, all)
	if d.Answer == Deliver || d.Answer == Hold {
		f.change(&d, all)
	}
	f.notices(&d, all)
	return d
}

// early refuses the mail that can be refused before the message is there, and
// leaves all other mail for later.
func (f *facts) early(d *Decision, all []judged) {
	if d.Answer == Reject || d.Answer == Tempfail {
		d.Pending = false
		f.reply(d, all)
		if d.Answer == Reject { // who is asked to come back is told of then
			f.notices(d, all)
		}
		return
	}
	d.Answer = Deliver
}

func overall(all []judged) Answer {
	some := func(a Answer) bool {
		return slices.ContainsFunc(all, func(j judged) bool { return j.Outcome.Answer == a })
	}
	switch {
	case some(Tempfail):
		return Tempfail
	case some(Hold):
		return Hold
	case some(Deliver):
		return Deliver
	case some(Discard):
		return Discard
	}
	return Reject
}

// strongest returns the strongest ground that any recipient has for an answer, nil if
// none has one.
func (f *facts) strongest(a Answer, all []judged) *ground {
	var first *ground
	for _, j := range all {
		if j.first == nil || j.Outcome.Answer != a {
			continue
		}
		if first == nil || f.compareGrounds(*j.first, *first) < 0 {
			first = j.first
		}
	}
	return first
}

// reply words the answer after the strongest ground for it.
func (f *facts) reply(d *Decision, all []judged) {
	first := f.strongest(d.Answer, all)
	if first == nil {
		return
	}
	switch d.Answer {
	case Reject, Tempfail:
		d.Reply = f.replyFor(*first)
	case Hold:
		d.Reason = f.holdReason(*first)
	}
}

// change collects the changes for the recipients who get the message. All of them
// get the same body and header, and so every change that one of them needs.
func (f *facts) change(d *Decision, all []judged) {
	var gone []string
	var grounds []ground
	seen, known := map[*judgement]bool{}, map[ground]bool{}
	for _, j := range all {
		if j.refuses() || len(j.Outcome.Only) > 0 {
			gone = append(gone, j.recipient)
		}
		if !j.refuses() && !seen[j.judgement] {
			seen[j.judgement] = true
			grounds = addGrounds(grounds, j.grounds, known)
		}
	}
	slices.SortStableFunc(grounds, f.compareGrounds)
	o := f.addUp(grounds)
	wanted := addNew(o.Only, o.Add...)
	d.Tag, d.Headers, d.Edits = o.Tag, o.Headers, f.edits(grounds)
	d.Banners = f.banners(grounds, all)
	d.Drop, d.Add = without(gone, wanted), without(wanted, f.in.Envelope.Recipients)
}

// addGrounds appends those of more that are not known yet.
func addGrounds(list, more []ground, known map[ground]bool) []ground {
	for _, g := range more {
		if !known[g] {
			known[g] = true
			list = append(list, g)
		}
	}
	return list
}

// without returns the addresses of list that are not in other, each once.
func without(list, other []string) []string {
	var left []string
	for _, v := range list {
		if !slices.Contains(other, v) {
			left = addNew(left, v)
		}
	}
	return left
}

// edits takes the strongest edit of each part, in the order of the parts.
func (f *facts) edits(grounds []ground) []Edit {
	byPart := map[int]*Edit{}
	type wish struct {
		subject int
		kind    EditKind
	}
	seen := map[wish]bool{}
	for _, g := range grounds {
		w := wish{g.subject, g.outcome.Edit}
		if w.kind == NoEdit || g.subject == itself || seen[w] {
			continue
		}
		seen[w] = true
		f.steps += len(f.groups[g.subject].members)
		for _, i := range f.groups[g.subject].members {
			f.addEdit(byPart, g, i)
		}
	}
	var list []Edit
	for part := range f.in.Parts {
		if e := byPart[part]; e != nil {
			slices.SortFunc(e.Found, f.compareFindings)
			list = append(list, *e)
		}
	}
	return list
}

// addEdit enters the edit that a ground asks for because of a finding, unless the
// part gets a stronger one.
func (f *facts) addEdit(byPart map[int]*Edit, g ground, finding int) {
	part := f.in.Found[finding].Part
	e := byPart[part]
	switch {
	case e == nil || g.outcome.Edit > e.Kind:
		byPart[part] = &Edit{Kind: g.outcome.Edit, Part: part, Rule: g.rule.Ref, Found: []int{finding}}
	case g.outcome.Edit == e.Kind:
		e.Found = append(e.Found, finding)
	}
}

// banners returns those that any ground asks for, as the rules are. One that is about a single
// recipient is put into the text only if all who get the message have it: they read the same text.
func (f *facts) banners(grounds []ground, all []judged) []string {
	var list []string
	for _, g := range inRuleOrder(grounds) {
		if g.outcome.Banner != "" && (!f.personalGround(g) || forAll(g.outcome.Banner, all)) {
			list = addNew(list, g.outcome.Banner)
		}
	}
	return list
}

// personalGround reports whether a ground is a finding about one recipient.
func (f *facts) personalGround(g ground) bool {
	return g.subject != itself && f.in.Found[f.groups[g.subject].first].Recipient != ""
}

// forAll reports whether all who get the message have a ground for a banner.
func forAll(banner string, all []judged) bool {
	asks := func(g ground) bool { return g.outcome.Banner == banner }
	return !slices.ContainsFunc(all, func(j judged) bool { return !j.refuses() && !slices.ContainsFunc(j.grounds, asks) })
}

// notices collects the notices that rules ask for, and one for each recipient whose
// copy was refused without the sender hearing of it. A virus is worth one only if a rule
// asks for it.
func (f *facts) notices(d *Decision, all []judged) {
	for _, j := range all {
		var told []Notice
		for _, to := range j.Outcome.Notify {
			told = addNew(told, f.asked(d, j, to)...)
		}
		d.Notices = append(d.Notices, addNew(told, f.unheard(d, j)...)...)
	}
}

// asked returns the notice that a word or an address in Outcome.Notify means.
// Recipients and senders are told only of what does not arrive.
func (f *facts) asked(d *Decision, j judged, to string) []Notice {
	about := Notice{Recipient: j.recipient, Finding: j.Because, Rule: j.Rule}
	switch {
	case to != Recipients && to != InternalSender:
		g := j.asking(to)
		return []Notice{{To: to, Audience: Administrator, Recipient: j.recipient, Finding: f.reason(g), Rule: g.rule.Ref}}
	case !f.complete() || d.reaches(j.recipient):
		return nil
	case to == Recipients:
		about.To, about.Audience = j.recipient, ToRecipient
	case f.trusted() == yes:
		about.To, about.Audience = f.in.Envelope.Sender, ToSender
	}
	return about.ifAddressed()
}

// unheard returns the notice about a copy that was refused without the sender hearing
// of it. Those who have blocked a sender want to hear no more of it.
func (f *facts) unheard(d *Decision, j judged) []Notice {
	if j.Outcome.Answer != Reject || d.Answer == Reject || f.isInfection(j.Because) || j.first.rule.lists.has(Blocked) {
		return nil
	}
	about := Notice{To: j.recipient, Audience: ToRecipient, Recipient: j.recipient, Finding: j.Because, Rule: j.Rule}
	if j.directions == Outbound {
		about.To, about.Audience = f.in.Envelope.Sender, ToSender
	}
	return about.ifAddressed()
}

// ifAddressed returns the notice in a list, which is empty if it is for the null sender.
func (n Notice) ifAddressed() []Notice {
	if n.To == "" {
		return nil
	}
	return []Notice{n}
}

// reaches reports whether a recipient gets the message at once.
func (d *Decision) reaches(recipient string) bool {
	return d.Answer == Deliver && !slices.Contains(d.Drop, recipient)
}

// asking returns the strongest ground that asks for a notice.
func (j *judgement) asking(to string) ground {
	return j.grounds[slices.IndexFunc(j.grounds, func(g ground) bool { return slices.Contains(g.outcome.Notify, to) })]
}

func (f *facts) isInfection(finding int) bool {
	return finding != itself && f.in.Found[finding].Kind == scan.Infected
}
