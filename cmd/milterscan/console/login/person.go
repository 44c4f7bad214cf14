package login

import (
	"slices"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/address"
)

// Person is one who has logged in. The zero Person may do nothing and sees
// nothing.
type Person struct {
	Account int64  // the number of the account; 0 for a person who has none, such as root at a shell
	Name    string // as the audit log and the pages show it, such as "ann" or "ldap:ann"
	Role    Role
	Domains []string // of a domain administrator; ".example.com" for all subdomains
	// Delegated are the rights of a domain administrator that the host leaves to it; it has no others.
	Delegated []Right
	// Addresses are those of a recipient, the main one first, and of those who have made the
	// person a delegate: as address.Fold writes them.
	Addresses []string
	// Resolve returns the address that gets the mail of another, such as that of "ann+news@example.com";
	// nil where each gets its own.
	Resolve  func(folded string) string
	Classes  []string // of kept messages that the person may open; empty for DefaultClasses, and for a recipient for none
	Releases []string // of a recipient: the classes that it may release without asking
	Language string   // such as "de"; empty for what the browser asks for
	Token    bool     // a program acts for the person
	Only     []Right  // with a token: the only ones of the role that it has
	// Away is since when the accounts cannot be asked, of a person whom the host knows from shortly before. Such a person may
	// change nothing. The zero time: they were asked.
	Away time.Time
}

// Mail is what has to be known of a message to say who may see it.
type Mail struct {
	Sender     string // of the envelope
	Ours       bool   // the client was one of ours: the sender is who it says
	Recipients []string
	Class      string // as in the quarantine; empty for a message that is not kept
	// Back are the recipients from which it was kept back. A recipient who had it from the start has no
	// business with the copy that is kept for others.
	Back  []string
	Grave []string // see quarantine.Row
}

// DefaultClasses returns the classes of kept messages that a person may open if
// no others are named for it: those in which no virus was found and that were looked into.
func DefaultClasses() []string {
	return []string{"policy", "note", "malformed", "ambiguous", "suspicious", "forbidden"}
}

// Shown returns the name by which pages call the person: the main address of a recipient.
func (p Person) Shown() string {
	if p.Role == Recipient && len(p.Addresses) > 0 {
		return p.Addresses[0]
	}
	return p.Name
}

// May reports whether the person has a right, over messages that it sees. Over one
// message, MayWith is asked.
func (p Person) May(r Right) bool {
	return p.Has(r) && (!p.Token || slices.Contains(p.Only, r)) && (p.Away.IsZero() || !r.Changes())
}

// Has reports whether the role gives the person a right, and the host leaves it to that. What a token is for is
// another matter.
func (p Person) Has(r Right) bool {
	return p.Role.Has(r) && (p.Role != Domain || slices.Contains(p.Delegated, r))
}

// MayWith reports whether the person has a right over one message.
func (p Person) MayWith(r Right, m Mail) bool {
	return p.May(r) && p.Sees(m) && (!r.opens() || p.opensMail(r, m))
}

// opensMail reports whether a right over a message itself, which the role has, is one over this
// message. A message that a recipient releases is not looked at again for its findings, so
// each of the grave things in it has to be among the classes that the host lets go.
func (p Person) opensMail(r Right, m Mail) bool {
	if p.Role != Recipient || r != Release {
		return p.opensClass(m.Class)
	}
	lets := func(class string) bool { return class != infected && slices.Contains(p.Releases, class) }
	return lets(m.Class) && !slices.ContainsFunc(m.Grave, func(kind string) bool { return !lets(kind) })
}

// infected is the class of messages with a virus. No recipient has to do with them, whatever
// is configured.
const infected = "infected"

// Sees reports whether there is the message at all for the person. Of another's
// message it is told what it would be told of one that never was. A domain administrator
// sees mail for the domains, and mail that these have sent; that a sender from
// elsewhere claims to be in them does not count. A recipient sees mail that is kept back from its
// addresses, of the classes that the host shows.
func (p Person) Sees(m Mail) bool {
	switch {
	case p.Role.Has(SeeOwn):
		return p.opensClass(m.Class) && !slices.Contains(m.Grave, infected) && slices.ContainsFunc(m.Back, p.Owns)
	case !p.Role.Has(SeeMessages):
		return false
	}
	return p.Role != Domain || m.Ours && p.Owns(m.Sender) || slices.ContainsFunc(m.Recipients, p.Owns)
}

// Owns reports whether an address is one whose mail the person may see and release:
// for a recipient its own, for a domain administrator one in the domains, for others any.
func (p Person) Owns(to string) bool {
	switch p.Role {
	case Recipient:
		folded, err := address.Fold(to)
		return err == nil && (slices.Contains(p.Addresses, folded) || p.Resolve != nil && slices.Contains(p.Addresses, p.Resolve(folded)))
	case Domain:
	default:
		return slices.Contains(Given(), p.Role)
	}
	own := policy.Local{}
	for _, d := range p.Domains {
		if d != "" { // the domain of an address that has none
			own.Domains = append(own.Domains, policy.Domain(d))
		}
	}
	return own.Has(to)
}

// Own returns those addresses whose mail the person may see: the recipients a page
// shows and a release may go to. Who else has had the message is not a domain
// administrator's business.
func (p Person) Own(addresses []string) []string {
	return slices.DeleteFunc(slices.Clone(addresses), func(a string) bool { return !p.Owns(a) })
}

// Bound reports whether the person sees the mail of some domains or addresses only, so that
// searches have to be narrowed to what it owns.
func (p Person) Bound() bool { return p.Role == Domain || p.Role == Recipient }

// opensClass reports whether the person may open kept messages of a class.
// Administrators and auditors open all.
func (p Person) opensClass(class string) bool {
	if p.Role == Administrator || p.Role == Auditor {
		return true
	}
	classes := p.Classes
	if p.Role == Recipient {
		return class != "" && class != infected && slices.Contains(classes, class)
	}
	if len(classes) == 0 {
		classes = DefaultClasses()
	}
	return slices.Contains(classes, class)
}
