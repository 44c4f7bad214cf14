package people

import (
	"fmt"
	"slices"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan/units"
)

// Terms say what the entries of lists may be, and what they do.
type Terms struct {
	// Which entries of the host cannot be overruled by those of a domain, nor
	// those of either by those of a recipient: "block", "allow". Without a word the nearer
	// one counts.
	Firm []string `toml:"firm"`
	// The findings that do not count for mail of an allowed sender; "spam/*" is for
	// the score, too. What is infected, forbidden, or was not examined always counts.
	Skips []policy.Condition `toml:"skips"`
	// The entries that recipients may make for themselves.
	Recipients Allowance `toml:"recipients"`
	// The entries that administrators of domains may make for their domains and the
	// recipients in them.
	Domains Allowance `toml:"domains"`
}

// Allowance is which entries may be made.
type Allowance struct {
	// Whom they may let through: "any" sender, an "authenticated" one, with a DMARC or
	// DKIM pass, or "none".
	Allow string `toml:"allow"`
	// Whether they may block senders.
	Block bool `toml:"block"`
	// What an entry may be about: an "address", a "domain", a "network".
	About []string `toml:"about"`
	// How many entries one of them may have.
	Entries int `toml:"entries"`
	// The longest time that an entry may be for; "0s" for no limit.
	Longest units.Duration `toml:"longest"`
}

// DefaultTerms returns the shipped terms.
func DefaultTerms() Terms {
	return Terms{
		Firm: []string{string(Block)},
		Skips: []policy.Condition{policy.Named("spam/*"), policy.Named("content/*"), policy.Named("auth/*"), policy.Named("bounce/*"),
			policy.Named("greylist/*")},
		Recipients: Allowance{Allow: anySender, Block: true, About: []string{string(Address), string(Domain)}, Entries: 1000},
		Domains: Allowance{Allow: anySender, Block: true, About: []string{string(Address), string(Domain), string(Network)},
			Entries: 10_000},
	}
}

// The senders that entries may let through.
const (
	anySender     = "any"
	authenticated = "authenticated"
	noSender      = "none"
)

// Check returns the errors in the terms.
func (t Terms) Check() error {
	var check units.Check
	for i, w := range t.Firm {
		check.Word(fmt.Sprintf("firm[%d]", i), w, string(Allow), string(Block))
	}
	for i, c := range t.Skips {
		check.If(c.AboutScore(), fmt.Sprintf("skips[%d]", i),
			"%q is for no score in particular; write \"spam/*\", which is for the score, too", c)
	}
	return check.Err()
}

// Check returns the errors in the allowance.
func (a Allowance) Check() error {
	var check units.Check
	check.Word("allow", a.Allow, anySender, authenticated, noSender)
	for i, w := range a.About {
		check.Word(fmt.Sprintf("about[%d]", i), w, string(Address), string(Domain), string(Network))
	}
	check.If(a.Entries < 0, "entries", "%d is less than nothing; write 0 for no entries", a.Entries)
	check.If(a.Longest < 0, "longest", "%v is less than nothing; write \"0s\" for no limit", a.Longest)
	return check.Err()
}

// Maker is a person who makes entries.
type Maker struct {
	Name  string // as the list and the audit log show it
	Level Level  // OfRecipient for one's own address, OfDomain for an administrator of domains
	Terms Terms
}

// allowance returns what the maker may do; false for one who may do anything.
func (m Maker) allowance() (Allowance, bool) {
	switch m.Level {
	case OfRecipient:
		return m.Terms.Recipients, true
	case OfDomain:
		return m.Terms.Domains, true
	}
	return Allowance{}, false
}

// Error says why an entry may not be made. The text is for the person.
type Error struct{ Text string }

// Error implements error.
func (e *Error) Error() string { return e.Text }

func refused(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// Check says why the maker may not make an entry, which is folded; nil if it may. Whose lists
// a person may change at all is known elsewhere.
func (m Maker) Check(e Entry, now time.Time) error {
	a, bound := m.allowance()
	if !bound {
		return nil
	}
	switch {
	case LevelOf(e.Owner) > m.Level:
		return refused("the list of %s is not yours to change", e.Owner)
	case e.Act == Block && !a.Block:
		return refused("this host does not let you block senders; ask its administrator")
	case e.Act == Allow && a.Allow == noSender:
		return refused("this host does not let you allow senders; ask its administrator")
	case e.Act == Allow && a.Allow == authenticated && !e.Authenticated:
		return refused("this host lets you allow a sender only with a DMARC or DKIM pass: ask for one in the entry")
	case !slices.Contains(a.About, string(KindOf(e.Pattern))):
		return refused("this host does not let you list a %s; %s", KindOf(e.Pattern), listable(a.About))
	case a.Longest > 0 && (e.Expires.IsZero() || e.Expires.After(now.Add(a.Longest.Go()))):
		return refused("this host lets you make entries for at most %v; say when this one expires", a.Longest)
	}
	return nil
}

// listable says what can be listed instead.
func listable(about []string) string {
	if len(about) == 0 {
		return "nothing can be listed"
	}
	return "you can list: " + units.Words(about)
}

// most returns how many entries an owner may have that the maker adds to; false for no limit.
func (m Maker) most(owner string) (int, bool) {
	if _, bound := m.allowance(); !bound {
		return 0, false
	}
	if LevelOf(owner) == OfRecipient {
		return m.Terms.Recipients.Entries, true
	}
	return m.Terms.Domains.Entries, true
}
