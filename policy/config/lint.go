package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
)

// Contradictions returns the site's own rules that can never do anything: they wait for
// findings that no scanner makes, or come after a rule that decides all they are for.
// catalogue lists every finding there is. The error is of type Problems.
func (c *Config) Contradictions(catalogue []scan.Rule) error {
	var found Problems
	var before policy.Shadows
	for i, r := range c.Rules {
		over := before.Over(r.compiled)
		before.Add(i, r.compiled)
		wrong := func(key, what string) {
			found = append(found, Problem{r.origin.File, r.origin.Line, key, what})
		}
		if unknown := r.compiled.Grounds.Unknown(catalogue); len(unknown) > 0 {
			wrong("rule", fmt.Sprintf("%q can never match: %s", r.Name, unmade(unknown, catalogue)))
			continue
		}
		if why := r.compiled.Grounds.Impossible(catalogue); why != "" {
			wrong("rule", fmt.Sprintf("%q can never match: %s", r.Name, why))
			continue
		}
		if why := c.unheard(r, catalogue); why != "" {
			wrong("rule.appeal", fmt.Sprintf("%q: %s", r.Name, why))
		}
		first := slices.IndexFunc(over, func(earlier int) bool { return c.Rules[earlier].compiled.Hides(r.compiled) })
		if first >= 0 {
			by := &c.Rules[over[first]]
			wrong("rule", fmt.Sprintf("%q never decides: all it is for is decided by %q at %s; put it in front of that, or leave it out",
				r.Name, by.Name, by.origin))
		}
	}
	return found.err()
}

// unmade names findings that are never made, each with the nearest that is.
func unmade(unknown []policy.Condition, catalogue []scan.Rule) string {
	var names, all []string
	for _, r := range catalogue {
		names = append(names, r.Name)
	}
	for _, c := range unknown {
		text := c.String() + " is no finding that is ever made"
		if best := Nearest(c.String(), names); best != "" {
			text += fmt.Sprintf("; did you mean %q?", best)
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}
