package login

import (
	"slices"

	"github.com/milterscan/milterscan/policy"
)

// Person is one who has logged in. The zero Person may do nothing and sees
// nothing.
type Person struct {
	Account  int64  // the number of the account; 0 for a person who has none, such as root at a shell
	Name     string // as the audit log and the pages show it, such as "ann" or "ldap:ann"
	Role     Role
	Domains  []string // of a domain administrator; ".example.com" for all subdomains
	Classes  []string // of kept messages that the person may open; empty for DefaultClasses
	Language string   // such as "de"; empty for what the browser asks for
	Token    bool     // a program acts for the person
	Only     []Right  // with a token: the only ones of the role that it has
}

// Mail is what has to be known of a message to say who may see it.
type Mail struct {
	Sender     string // of the envelope
	Ours       bool   // the client was one of ours: the sender is who it says
	Recipients []string
	Class      string // as in the quarantine; empty for a message that is not kept
}

// DefaultClasses returns the classes of kept messages that a person may open for whom
// no others are named: those in which no virus was found and that were looked into.
func DefaultClasses() []string {
	return []string{"policy", "note", "malformed", "ambiguous", "suspicious", "forbidden"}
}

// May reports whether the person has a right, over messages that it sees. Over one
// message, MayWith is asked.
func (p Person) May(r Right) bool {
	return p.Role.Has(r) && (!p.Token || slices.Contains(p.Only, r))
}

// MayWith reports whether the person has a right over one message.
func (p Person) MayWith(r Right, m Mail) bool {
	return p.May(r) && p.Sees(m) && (!r.opens() || p.opensClass(m.Class))
}

// Sees reports whether there is the message at all for the person. Of another's
// message it is told what it would be told of one that never was. A domain administrator
// sees what is for the domains, and what these have sent; that a sender from
// elsewhere claims to be in them does not count.
func (p Person) Sees(m Mail) bool {
	if !p.Role.Has(SeeMessages) {
		return false
	}
	return p.Role != Domain || m.Ours && p.Owns(m.Sender) || slices.ContainsFunc(m.Recipients, p.Owns)
}

// Owns reports whether an address is one whose mail the person may see and release:
// for a domain administrator one in the domains, for others any.
func (p Person) Owns(address string) bool {
	if p.Role != Domain {
		return slices.Contains(Roles(), p.Role)
	}
	own := policy.Local{}
	for _, d := range p.Domains {
		if d != "" { // the domain of an address that has none
			own.Domains = append(own.Domains, policy.Domain(d))
		}
	}
	return own.Has(address)
}

// Own returns those addresses whose mail the person may see: the recipients a page
// shows and a release may go to. Who else has had the message is not a domain
// administrator's business.
func (p Person) Own(addresses []string) []string {
	return slices.DeleteFunc(slices.Clone(addresses), func(a string) bool { return !p.Owns(a) })
}

// Bound reports whether the person sees the mail of some domains only, so that
// searches have to be narrowed to Domains.
func (p Person) Bound() bool { return p.Role == Domain }

// opensClass reports whether the person may open kept messages of a class.
// Administrators and auditors open all.
func (p Person) opensClass(class string) bool {
	if p.Role == Administrator || p.Role == Auditor {
		return true
	}
	classes := p.Classes
	if len(classes) == 0 {
		classes = DefaultClasses()
	}
	return slices.Contains(classes, class)
}
