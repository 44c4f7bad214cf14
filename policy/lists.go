package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan/format/markup"
)

// ListName is what rules call the senders that people have listed.
type ListName string

// The lists. Each has what the recipient, its domain and the host have listed; see Lists.
const (
	Allowed ListName = "allowed"
	Blocked ListName = "blocked"
)

// UnmarshalText reads a name.
func (n *ListName) UnmarshalText(text []byte) error {
	switch s := ListName(text); s {
	case Allowed, Blocked:
		*n = s
		return nil
	}
	return fmt.Errorf("there is no list %q; write \"list:%s\" or \"list:%s\"", text, Allowed, Blocked)
}

// String returns the name as conditions have it.
func (n ListName) String() string { return "list:" + string(n) }

// Lists are the senders that people allow and block, and the limits that they have set, as they were at one moment.
// The method standing of facts decides whose entries count for a recipient, and which of several.
type Lists interface {
	// Owners returns those whose entries count for mail to a recipient, the nearest first:
	// the recipient, its domain, the host.
	Owners(recipient string) []string
	// Owned says what an owner has.
	Owned(owner string) Owned
	// Entry returns the entry of an owner for a pattern, with or without a wish for
	// authentication.
	Entry(owner, pattern string, authenticated bool) (ListEntry, bool)
	// Firm reports whether entries that allow, or that block, hold against those of
	// nearer owners.
	Firm(blocks bool) bool
	// Limit returns the limit of the score that the person has set who gets mail at an address.
	Limit(recipient string) (OwnLimit, bool)
}

// Owned says what kinds of entries an owner has.
type Owned struct {
	Senders                    bool // entries about addresses or domains
	AllowsProved, BlocksProved bool // those of them that want authentication
	Lengths                    Lengths
}

// ListEntry is one entry.
type ListEntry struct {
	ID             int64
	Owner, Pattern string
	Block          bool // or else it allows
	Authenticated  bool // it counts only if the domain in the From field is proved
	Expires        time.Time
}

// OwnersOf returns those whose entries count for mail to a recipient: the address, its domain,
// the domains above that for their subdomains, and at last the host.
func OwnersOf(recipient, host string) []string {
	a := splitAddress(recipient).folded()
	if a.domain == "" {
		return []string{host}
	}
	owners := []string{a.local + "@" + a.domain, a.domain}
	return append(append(owners, above(a.domain)...), host)
}

// above returns the domains above one, with a dot in front, the nearest first.
func above(domain string) (list []string) {
	for i := range len(domain) {
		if domain[i] == '.' {
			list = append(list, domain[i:])
		}
	}
	return list
}

// folded returns the address as lists have it.
func (a address) folded() address {
	if strings.ContainsFunc(a.domain, func(r rune) bool { return r > '~' }) {
		a.domain = markup.ASCII(a.domain)
	}
	return a
}

// patterns returns those that match the address, the narrowest first.
func (a address) patterns() []string {
	a = a.folded()
	if a.domain == "" {
		return nil
	}
	return append([]string{a.local + "@" + a.domain, "@" + a.domain}, above(a.domain)...)
}

// standing says whether the sender or client asked about is allowed and whether it is blocked; it can be
// neither.
type standing struct {
	allowed, blocked truth
	entry            *ListEntry // that says so; nil if none does for certain
}

// says returns whether the list has it.
func (s standing) says(n ListName) truth {
	if n == Allowed {
		return s.allowed
	}
	return s.blocked
}

// under returns the standing by the entries of a nearer owner, s, and those of a wider one. The
// nearer decides, unless those of the wider are firm.
func (s standing) under(wide standing, l Lists) standing {
	firmly, mildly := no, no // what no nearer entry changes
	if l.Firm(true) {
		firmly = wide.blocked
	}
	if l.Firm(false) {
		mildly = wide.allowed
	}
	t := standing{
		blocked: max(firmly, min(mildly.not(), max(s.blocked, min(wide.blocked, s.allowed.not())))),
		allowed: max(mildly, min(firmly.not(), max(s.allowed, min(wide.allowed, s.blocked.not())))),
	}
	t.entry = s.entry
	if s.entry == nil || wide.entry != nil && (wide.entry.Block && firmly == yes || !wide.entry.Block && mildly == yes) {
		t.entry = wide.entry
	}
	return t
}

// aspect is what of a mail is looked up.
type aspect int

const (
	ofSender aspect = iota // the envelope sender and, for entries that want authentication, the author
	ofAuthor               // an address in the From field
	ofClient               // the address of the client
)

// asked is a question to the lists.
type asked struct {
	recipient string
	about     aspect
	author    address // with ofAuthor
}

// standing looks something up in the lists that count for a recipient. For one recipient it
// says nothing about others.
func (f *facts) standing(a asked) standing {
	known, ok := f.standings[a]
	if ok {
		return known
	}
	l := f.in.Lists
	owners := l.Owners(a.recipient)
	var s standing
	for _, owner := range slices.Backward(owners) {
		own := l.Owned(owner)
		if own != (Owned{}) {
			s = f.ownStanding(owner, own, a).under(s, l)
		}
	}
	f.standings[a] = s
	f.steps += len(owners)
	return s
}

// ownStanding returns the standing by the entries of one owner.
func (f *facts) ownStanding(owner string, own Owned, a asked) standing {
	w := walk{facts: f, owner: owner, rest: yes, proved: own.AllowsProved || own.BlocksProved}
	switch {
	case a.about == ofClient:
		w.client(own.Lengths)
	case !own.Senders:
	case a.about == ofAuthor:
		w.patterns(a.author.patterns(), true)
	default:
		w.patterns(f.sender.patterns(), true)
		w.author(own)
	}
	return w.standing
}

// walk goes through the entries of one owner, the narrowest first: the first that matches
// decides.
type walk struct {
	*facts
	standing
	owner  string
	proved bool  // the owner has entries that want authentication
	rest   truth // whether none has matched yet
}

// patterns looks patterns up. Of two entries for the same one that which wants authentication
// is narrower.
func (w *walk) patterns(list []string, plain bool) {
	for _, p := range list {
		if w.proved {
			w.look(p, true, w.provedAs(p))
		}
		if plain {
			w.look(p, false, yes)
		}
	}
}

// look takes an entry into account, if there is one, that matches as far as t says.
func (w *walk) look(pattern string, authenticated bool, t truth) {
	if t = min(t, w.rest); t == no {
		return
	}
	e, ok := w.in.Lists.Entry(w.owner, pattern, authenticated)
	if !ok || !e.Expires.IsZero() && !w.in.Envelope.Received.Before(e.Expires) {
		return
	}
	w.steps++
	if e.Block {
		w.blocked = max(w.blocked, t)
	} else {
		w.allowed = max(w.allowed, t)
	}
	if t == yes {
		w.entry = &e
	}
	w.rest = min(w.rest, t.not())
}

// author looks for entries that want authentication by the From field. Before the message any
// of them may match.
func (w *walk) author(own Owned) {
	switch {
	case w.rest == no || !w.proved:
	case w.complete():
		for _, a := range w.headerFrom() {
			w.patterns(a.patterns(), false)
		}
	default:
		if own.AllowsProved {
			w.allowed = max(w.allowed, perhaps)
		}
		if own.BlocksProved {
			w.blocked = max(w.blocked, perhaps)
		}
	}
}

// client looks up the networks that the client is in, the smallest first.
func (w *walk) client(lengths Lengths) {
	a := w.in.Envelope.Client.Addr().Unmap().WithZone("")
	for _, bits := range lengths.of(a) {
		if p, err := a.Prefix(bits); err == nil {
			w.look(p.String(), false, yes)
		}
	}
}

// The findings that prove the domain of the one author in the From field.
var authorProved = named("auth/dmarc-pass", "auth/dkim-author")

// provedAs says whether the From field shows addresses of a pattern only, and its domain is
// proved.
func (f *facts) provedAs(pattern string) truth {
	if !f.complete() {
		return perhaps
	}
	authors := f.headerFrom()
	strange := func(a address) bool { return !slices.Contains(a.patterns(), pattern) }
	proof := func(c Condition) bool { return f.holds(c) == yes }
	return truthOf(len(authors) > 0 && !slices.ContainsFunc(authors, strange) && slices.ContainsFunc(authorProved, proof))
}
