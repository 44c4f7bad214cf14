package policy

import (
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/units"
)

// Rule says what becomes of some mail. Rules are in an ordered list; for each
// recipient and each finding the first that matches decides.
type Rule struct {
	Ref     RuleRef
	Scope   Scope
	Grounds Grounds
	Outcome Outcome
	Mode    Mode
	// Of the message itself the rule lets nothing through that another rule refuses whatever
	// was found; and what others add to all mail is added.
	Yields bool
}

// Mode is how far a rule that matches goes.
type Mode int

// The modes.
const (
	Decides Mode = iota // later rules do not matter for what it matched
	Adds                // its effects, which cannot be edits, are added, and later rules still decide
	Watches             // it is logged and changes nothing
)

// Scope says which mail a rule is for: all of its conditions must hold. An
// empty one holds for any mail.
type Scope struct {
	Direction Directions
	Client    []Network
	Country   []Country        // any of them, of the client
	ASN       []uint32         // any of them, the number of the client's autonomous system
	From, To  []AddressPattern // envelope sender and recipient
	NotTo     []AddressPattern // recipients the rule is not for after all
	Auth      []Login
	// HeaderFrom looks at every address in every From field. For a rule that
	// lets mail through all of them must match, since anybody can write a
	// second one; for any other rule one is enough.
	HeaderFrom []AddressPattern
	Size       SizeRange
	Hours      []Hours // any of them, when the message was received
	Lists      ByList
}

// ByList are lists whose entries count as further patterns of conditions. What they hold
// differs from recipient to recipient.
type ByList struct{ From, HeaderFrom, Client []ListName }

// has reports whether any condition goes by a list.
func (b ByList) has(n ListName) bool {
	return slices.Contains(b.From, n) || slices.Contains(b.HeaderFrom, n) || slices.Contains(b.Client, n)
}

// any reports whether any condition goes by any list.
func (b ByList) any() bool { return b.has(Allowed) || b.has(Blocked) }

// SizeRange holds sizes of at least Min and at most Max; a zero Max is no limit.
type SizeRange struct{ Min, Max units.Size }

// Grounds are the findings a rule rests on.
//
// A rule with neither When nor Part matches the message itself and every
// finding. One without When that delivers does not match findings of the kinds
// infected and failed, though: letting a virus through, or mail no engine could look at,
// takes a rule that names it.
type Grounds struct {
	When     []Condition // any of them: about a finding, or the score
	Part     []string    // the finding's part has a name or path like one of these, upper and lower case alike
	Requires []Condition // all of them hold for some finding of the message
	Unless   []Condition // none of them holds for any finding of the message
	Not      []scan.Kind // findings of these kinds the rule is not about after all
}

// Login matches SASL login names: a name, in which "*" matches anything, so that
// "*" alone means every client that has logged in; or "none" for clients that have
// not.
type Login string

// NoLogin matches mail whose client has not authenticated.
const NoLogin Login = "none"

func (l Login) match(user string) bool {
	if l == NoLogin || user == "" {
		return l == NoLogin && user == ""
	}
	return matchGlob(strings.ToLower(string(l)), strings.ToLower(user))
}

// rule is a Rule made ready.
type rule struct {
	Rule
	place                int // in the list
	client               networks
	from, to, headerFrom addresses
	notTo                addresses
	parts                []string // lower case
	lists                ByList
	byList               bool
	own                  bool // some condition goes by what the recipient has set
	list                 int  // numbers the lists of parts that are not the same; only with parts
}

func compile(r Rule, place int) *rule {
	c := &rule{Rule: r, place: place, lists: r.Scope.Lists, byList: r.Scope.Lists.any(), own: r.owns()}
	c.client = compileNetworks(r.Scope.Client)
	c.from = compileAddresses(r.Scope.From)
	c.to = compileAddresses(r.Scope.To)
	c.notTo = compileAddresses(r.Scope.NotTo)
	c.headerFrom = compileAddresses(r.Scope.HeaderFrom)
	for _, p := range r.Grounds.Part {
		c.parts = append(c.parts, strings.ToLower(p))
	}
	return c
}

// blanket reports whether the rule rests on no finding in particular.
func (r *rule) blanket() bool { return len(r.Grounds.When) == 0 && len(r.parts) == 0 }

// opens reports whether the rule lets mail through that a later one may refuse.
func (r *rule) opens() bool { return r.Mode == Decides && r.Outcome.Answer == Deliver }

// mildest returns the mildest answer of the rule where it is not known yet whether it
// matches. One that lets senders appeal is milder than one that does not.
func (r *rule) mildest() Answer {
	if len(r.Outcome.Appeal) > 0 {
		return Deliver
	}
	return r.Outcome.Answer
}

// mayRefuse reports whether the rule alone, without any finding, may refuse mail
// at a stage: all it depends on can be known by then.
func (r *rule) mayRefuse(s scan.Stage) bool {
	if r.Mode != Decides || r.Outcome.Answer != Reject && r.Outcome.Answer != Tempfail || !r.blanket() {
		return false
	}
	switch {
	case r.waits(), len(r.Scope.HeaderFrom)+len(r.lists.HeaderFrom)+len(r.Grounds.Requires)+len(r.Grounds.Unless) > 0,
		r.Scope.Size != (SizeRange{}):
		return s >= scan.StageMessage
	case len(r.Scope.To)+len(r.Scope.NotTo) > 0, r.Scope.Direction == Relayed, r.byList:
		return s >= scan.StageRcpt
	case len(r.Scope.From)+len(r.Scope.Auth) > 0:
		return s >= scan.StageMail
	}
	return true
}

// forMail says whether the rule is for this mail, for any recipient.
func (r *rule) forMail(f *facts) truth {
	if len(f.in.Without) > 0 && slices.Contains(f.in.Without, r.Ref.Name) {
		return no
	}
	t := yes
	if len(r.lists.Client) == 0 {
		t = r.clientMatches(f)
	}
	if t == yes && len(r.Scope.From) > 0 && len(r.lists.From) == 0 {
		t = r.fromMatches(f)
	}
	if t != no && len(r.Scope.Country)+len(r.Scope.ASN) > 0 {
		t = min(t, r.placeMatches(f))
	}
	if t != no && len(r.Scope.Auth) > 0 {
		t = min(t, f.once(f.knowsSender(), r.authMatches(f.in.Envelope.AuthUser)))
	}
	if t != no && len(r.Scope.HeaderFrom) > 0 && len(r.lists.HeaderFrom) == 0 {
		t = min(t, f.when(f.complete(), r.headerFromMatches(f, nil)))
	}
	if t != no && len(r.Scope.Hours) > 0 {
		at := f.in.Envelope.Received
		t = min(t, f.once(f.complete() || !at.IsZero(), !at.IsZero() && inHours(r.Scope.Hours, at)))
	}
	if t != no && r.Scope.Size != (SizeRange{}) {
		t = min(t, f.once(f.complete(), r.Scope.Size.holds(f.in.Size)))
	}
	if t != no {
		t = min(t, r.background(f))
	}
	if r.waits() && !f.complete() {
		t = min(t, perhaps)
	}
	return t
}

func (r *rule) clientMatches(f *facts) truth {
	return truthOf(len(r.Scope.Client) == 0 || r.client.hold(f.in.Envelope.Client.Addr()))
}

func (r *rule) fromMatches(f *facts) truth {
	return f.when(f.knowsSender(), r.sentBy(f, r.from, f.sender))
}

func (s SizeRange) holds(n int64) bool {
	return n >= int64(s.Min) && (s.Max == 0 || n <= int64(s.Max))
}

func (r *rule) authMatches(user string) bool {
	return slices.ContainsFunc(r.Scope.Auth, func(l Login) bool { return l.match(user) })
}

// headerFromMatches looks at the addresses in From fields; listed says of one of them whether a
// list has it, nil if the rule goes by none.
func (r *rule) headerFromMatches(f *facts, listed func(address) truth) truth {
	from := f.headerFrom()
	match := func(a address) truth {
		t := r.sentBy(f, r.headerFrom, a)
		if listed != nil {
			t = max(t, listed(a))
		}
		return t
	}
	if !r.opens() {
		t := no
		for _, a := range from {
			t = max(t, match(a))
		}
		return t
	}
	t := truthOf(len(from) > 0)
	for _, a := range from {
		t = min(t, match(a))
	}
	return t
}

// background looks at the findings that the message must and must not have in
// addition to the one in question. What goes by the recipient's own limit is not among them.
func (r *rule) background(f *facts) truth {
	t := yes
	for _, c := range r.Grounds.Requires {
		if !c.own {
			t = min(t, f.holds(c))
		}
	}
	for _, c := range r.Grounds.Unless {
		if !c.own {
			t = min(t, f.holds(c).not())
		}
	}
	return t
}

// forRecipient says whether the rule is for mail to this recipient.
func (r *rule) forRecipient(f *facts, to recipient) truth {
	t := yes
	if r.Scope.Direction != 0 {
		t = r.Scope.Direction.covers(to.directions)
	}
	if len(r.Scope.To) > 0 {
		t = min(t, f.when(to.known, r.to.holds(f, to.address)))
	}
	if len(r.Scope.NotTo) > 0 {
		t = min(t, f.when(to.known, r.notTo.holds(f, to.address).not()))
	}
	if t != no && r.byList {
		t = min(t, r.listedFor(f, to))
	}
	if t != no && r.own {
		f.asksOwn[to.text] = true
		t = min(t, r.ownBackground(f, to))
	}
	return t
}

// covers says whether the direction, one of those possible, is in d.
func (d Directions) covers(possible Directions) truth {
	if d&Inbound != 0 {
		d |= Relayed
	}
	switch d & possible {
	case possible:
		return yes
	case 0:
		return no
	}
	return perhaps
}

// concerns says whether the rule is about a subject: a group of findings by its
// index, or the message itself.
func (r *rule) concerns(f *facts, subject int) truth {
	if subject == itself {
		return r.concernsMessage(f)
	}
	g := &f.groups[subject]
	found := f.in.Found[g.first]
	if slices.Contains(r.Grounds.Not, found.Kind) {
		return no
	}
	if len(r.Grounds.When) == 0 && r.opens() && (found.Kind == scan.Infected || found.Kind == scan.Failed) {
		return no
	}
	about := func(c Condition) bool { return c.matches(found) }
	if len(r.Grounds.When) > 0 && !slices.ContainsFunc(r.Grounds.When, about) {
		return no
	}
	return truthOf(len(r.parts) == 0 || f.inParts(r, g))
}

func (r *rule) concernsMessage(f *facts) truth {
	if r.blanket() {
		return yes
	}
	t := no
	for _, c := range r.Grounds.When {
		if !c.aboutFinding() && !c.own { // see aboutOwn
			t = max(t, f.holds(c))
		}
	}
	return t
}
