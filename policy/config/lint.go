package config

import (
	"fmt"
	"slices"

	"github.com/milterscan/milterscan/scan"
)

// Contradictions are the rules of the site's own that can never do anything: they
// wait for findings nobody makes, or stand behind a rule that decides all they
// are for. catalogue lists every finding there is. The error is of type Problems.
func (c *Config) Contradictions(catalogue []scan.Rule) error {
	var found Problems
	for i, r := range c.Rules {
		wrong := func(key, what string) {
			found = append(found, Problem{r.origin.File, r.origin.Line, key, what})
		}
		if why := r.compiled.Grounds.Impossible(catalogue); why != "" {
			wrong("rule", fmt.Sprintf("%q can never match: %s", r.Name, why))
			continue
		}
		first := slices.IndexFunc(c.Rules[:i], func(earlier Rule) bool { return earlier.compiled.Hides(r.compiled) })
		if first >= 0 {
			wrong("rule", fmt.Sprintf("%q never decides: all it is for is decided by %q at %s; put it in front of that, or leave it out",
				r.Name, c.Rules[first].Name, c.Rules[first].origin))
		}
	}
	return found.err()
}
