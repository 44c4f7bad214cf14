package policy

import (
	"slices"

	"github.com/milterscan/milterscan/scan"
)

// ByPolicy is the class of what a rule does for no finding.
const ByPolicy = "policy"

// Appealable returns the classes of refusals that a sender may appeal against at all: the
// kinds of the findings that they rest on, and ByPolicy. Of infected mail, and of mail that
// was not examined because something here is out of order, there is nothing to ask for.
func Appealable() []string {
	list := []string{ByPolicy}
	for k := scan.Note; k <= scan.Failed; k++ {
		if k != scan.Infected && k != scan.Failed {
			list = append(list, k.String())
		}
	}
	return list
}

// mostAppealed is how many recipients a message may have that its sender appeals for: each of
// them is asked.
const mostAppealed = 20

// waits reports whether the rule decides about complete messages only: before that there is no
// message that could be kept for its sender to ask for.
func (r *rule) waits() bool { return len(r.Outcome.Appeal) > 0 }

// appealable reports whether a sender may appeal against a verdict on these grounds, strongest
// first: each that keeps the message back says so, for what it rests on, and nothing
// else about the message prevents it.
func (f *facts) appealable(grounds []ground) bool {
	if len(grounds) == 0 || grounds[0].outcome.Answer != Reject || len(grounds[0].outcome.Appeal) == 0 || f.unappealable() {
		return false
	}
	for _, g := range grounds {
		if g.outcome.Answer >= Hold && !slices.Contains(g.outcome.Appeal, f.appealClass(g)) {
			return false
		}
	}
	unexamined := func(found scan.Finding) bool { return found.Kind == scan.Unscannable }
	return slices.Contains(grounds[0].outcome.Appeal, scan.Unscannable.String()) || !slices.ContainsFunc(f.kinds, unexamined)
}

// unappealable reports whether something was found because of which no appeal is heard,
// whatever the rules say: a virus, or that something did not look into the message.
func (f *facts) unappealable() bool {
	return slices.ContainsFunc(f.kinds, func(found scan.Finding) bool {
		asked := slices.ContainsFunc(optional, func(c Condition) bool { return c.matches(found) })
		return found.Kind == scan.Infected || found.Kind == scan.Failed && !asked
	})
}

// appealClass returns the class of what a ground is about, which may be more than its rule looked
// at.
func (f *facts) appealClass(g ground) string {
	if g.subject == itself {
		return ByPolicy
	}
	return f.in.Found[f.groups[g.subject].first].Kind.String()
}

// appealed reports whether the sender may appeal against the decision: the whole message is
// refused, to few, and at least one of them may be asked for it.
func (f *facts) appealed(d Decision, all []judged) bool {
	return d.Answer == Reject && len(all) <= mostAppealed &&
		slices.ContainsFunc(all, func(j judged) bool { return j.recipient != "" && len(j.Outcome.Appeal) > 0 })
}

// Withdrawn returns the decision without the appeal: there is no place for a copy.
func (d Decision) Withdrawn() Decision {
	d.Appeal = false
	return d
}

// Inviting returns the decision with a reply that says where the sender may appeal. The link
// is whole, also where the rest of the text is cut for it.
func (d Decision) Inviting(link string) Decision {
	d.Appeal = true
	d.Reply = d.Reply.inviting(link)
	return d
}

// invitation comes before the link in a reply. Nothing follows the link, so that no program
// takes a full stop for a part of it.
const invitation = " If this is wrong: "

// mostOfLine is how long a line of a reply is with its end (RFC 5321, section 4.5.3.1.5).
const mostOfLine = 512

// inviting returns the reply with an invitation, on one line.
func (r Reply) inviting(link string) Reply {
	room := mostOfLine - len("\r\n") - len("550 ") - len(r.Enhanced) - len(" ") - len(invitation) - len(link)
	r.Text = cutReply(r.Text, room) + invitation + link
	return r
}

// cutReply shortens the text of a reply, but not the id in brackets at its end.
func cutReply(text string, room int) string {
	if len(text) <= room {
		return text
	}
	at := max(0, lastBracket(text))
	id := text[at:]
	return text[:max(0, room-len(id)-len("... "))] + "... " + id
}

// lastBracket returns where the id begins at the end of a reply, the length of the text if it
// has none.
func lastBracket(text string) int {
	for i := len(text) - 1; i >= 0; i-- {
		if text[i] == '[' {
			return i
		}
	}
	return len(text)
}
