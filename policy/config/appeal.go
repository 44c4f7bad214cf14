package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/units"
)

// Appeals is the section [people.appeal].
type Appeals struct {
	// What senders may appeal against, by the kind of what was found: "policy" where a
	// rule goes by nothing that was found. Of infected mail, and of mail that was not
	// examined because something here was out of order, nobody can ask for a release.
	Classes []string `toml:"classes"`
	// How long a copy waits for its sender, and the link is good. A copy that was asked
	// for is kept as long as others (quarantine.keep).
	Keep units.Duration `toml:"keep"`
	// The disk space for copies that wait. While it is used up, mail is refused without a
	// link.
	Size units.Size `toml:"size"`
	// Appeals in a day from one network of browsers, and links for one network of clients.
	PerClient int `toml:"per_client"`
	// The same for one sender.
	PerSender int `toml:"per_sender"`
	// The same for one recipient.
	PerRecipient int `toml:"per_recipient"`
	// Appeals in a day, from all to all.
	PerDay int `toml:"per_day"`
}

func defaultAppeals() Appeals {
	return Appeals{
		Classes: []string{policy.ByPolicy, scan.Note.String(), scan.Malformed.String(), scan.Ambiguous.String(), scan.Suspicious.String()},
		Keep:    units.Duration(7 * 24 * time.Hour), Size: units.GB, PerClient: 20, PerSender: 5, PerRecipient: 20, PerDay: 1000,
	}
}

// Check returns the errors of the section [people.appeal].
func (a Appeals) Check() error {
	var check units.Check
	for i, class := range a.Classes {
		check.Add(oneOf(fmt.Sprintf("classes[%d]", i), class, policy.Appealable()))
	}
	check.If(a.Keep.Go() < time.Hour || a.Keep.Go() > 60*24*time.Hour, "keep",
		"%v is not between an hour and 60 days; write one such as \"7d\"", a.Keep)
	check.If(a.Size == 0, "size", "no copy could be kept; write a size such as \"1GB\"")
	for key, n := range map[string]int{
		"per_client": a.PerClient, "per_sender": a.PerSender, "per_recipient": a.PerRecipient, "per_day": a.PerDay,
	} {
		check.AtLeast(key, n, 1)
	}
	return check.Err()
}

// Appeals reports whether some rule in force lets senders appeal.
func (c *Config) Appeals() bool {
	return slices.ContainsFunc(c.allOwn(), func(r Rule) bool { return r.Outcome.appeals() })
}

// appeals reports whether the outcome, or its Else where the edit cannot be made, lets
// the sender appeal.
func (o *Outcome) appeals() bool { return o.Appeal || o.Else != nil && o.Else.appeals() }

// hearing returns a rule that lets senders appeal against what the host hears appeals of.
func (c *Config) hearing(o policy.Outcome) policy.Outcome {
	if len(o.Appeal) > 0 {
		o.Appeal = c.People.Appeal.Classes
	}
	if o.Else != nil {
		other := c.hearing(*o.Else)
		o.Else = &other
	}
	return o
}

// longestHost is how long the address of the pages may be, for a link to fit into a reply.
const longestHost = 120

// withoutPages returns an error for the first rule that promises senders a page, if there is
// none.
func (c *Config) withoutPages(rules []Rule) Problems {
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.Outcome.appeals() })
	if i < 0 {
		return nil
	}
	wrong := func(what string) Problems {
		return Problems{note(rules[i].origin, "rule.appeal", "the link in the reply leads to the pages of the console: %s", what)}
	}
	switch u, err := url.Parse(c.Console.URL); {
	case len(c.Console.Listen) == 0:
		return wrong("set console.listen and console.url, or leave appeal out")
	case err != nil || u.Host == "" || len(c.Console.URL) > longestHost:
		return wrong(fmt.Sprintf("set console.url to the address that senders reach, such as \"https://mx.example.com\", "+
			"with at most %d characters", longestHost))
	}
	return nil
}

// unknownRecipient is the finding that says that an address does not exist.
const unknownRecipient = "recipient/unknown"

// unheard says why no sender can ever appeal against what a rule refuses, or must not; "" if
// one can.
func (c *Config) unheard(r Rule, catalogue []scan.Rule) string {
	if !r.Outcome.appeals() {
		return ""
	}
	g, gone := r.compiled.Grounds, []scan.Rule{{Name: unknownRecipient}}
	for _, when := range slices.Concat(g.When, g.Requires, g.Unless) {
		if !when.AboutScore() && !when.AboutKind() && when.String() != "*/*" && when.CanMatch(gone) {
			return "a link that is there for some recipients only tells senders which addresses exist; " +
				"leave appeal out of rules about " + when.String()
		}
	}
	if len(g.When) == 0 {
		return ""
	}
	var kinds []string
	for _, when := range g.When {
		for _, found := range catalogue {
			kind := found.Kind.String()
			if when.AboutScore() || when.CanMatch([]scan.Rule{found}) && slices.Contains(c.People.Appeal.Classes, kind) {
				return ""
			}
			if when.CanMatch([]scan.Rule{found}) && !slices.Contains(kinds, kind) {
				kinds = append(kinds, kind)
			}
		}
	}
	if len(kinds) == 0 {
		return "" // it is said elsewhere that the rule never matches
	}
	remedy := "leave appeal out"
	if slices.ContainsFunc(kinds, func(k string) bool { return slices.Contains(policy.Appealable(), k) }) {
		remedy += ", or add the class to people.appeal.classes"
	}
	return fmt.Sprintf("no appeal is heard against what is %s; %s", strings.Join(kinds, ", "), remedy)
}
