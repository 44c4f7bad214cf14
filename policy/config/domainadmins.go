package config

import (
	"fmt"
	"slices"

	"github.com/milterscan/milterscan/scan/units"
)

// DomainAdmins is the section [people.domain_admins].
type DomainAdmins struct {
	// What administrators of domains may do for their domains, in the console and by its API:
	// "messages", search what became of mail; "quarantine", see what is kept and mark it as handled;
	// "content", look into it; "release"; "delete"; "lists", allow and block senders; "requests",
	// answer those who ask for a release; "learn", say that kept mail is spam or is not, from which
	// the scorers learn for everybody; "people", see who there is; "settings", change their
	// settings and delegates; "export", have lists of messages as files; "api", have tokens.
	// Empty: nothing.
	May []string `toml:"may"`
}

// Capabilities returns what can be left to administrators of domains.
func Capabilities() []string {
	return []string{"messages", "quarantine", "content", "release", "delete", "lists", "requests", "learn", "people",
		"settings", "export", "api"}
}

func defaultDomainAdmins() DomainAdmins {
	return DomainAdmins{May: []string{"messages", "quarantine", "content", "release", "delete", "lists", "requests", "export", "api"}}
}

// rests says what something can be left to administrators of domains with only: one who releases mail has to see
// what there is.
var rests = map[string]string{"quarantine": "messages", "content": "quarantine", "release": "quarantine",
	"delete": "quarantine", "requests": "release", "learn": "quarantine", "settings": "people", "export": "messages"}

// RestsOn returns what has to be left to administrators of domains, too, where something is; "" for nothing.
func RestsOn(word string) string { return rests[word] }

// Check returns the errors of the section [people.domain_admins].
func (d DomainAdmins) Check() error {
	var check units.Check
	for i, word := range d.May {
		at := fmt.Sprintf("may[%d]", i)
		check.Add(oneOf(at, word, Capabilities()))
		if on := RestsOn(word); on != "" {
			check.If(!slices.Contains(d.May, on), at, "%q is of no use without %q; write both, or neither", word, on)
		}
	}
	return check.Err()
}
