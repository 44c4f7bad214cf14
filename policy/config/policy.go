package config

import (
	"fmt"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan/contents/virus"
	"github.com/milterscan/milterscan/scan/open/unpack"
)

// Policy makes a policy of all rules.
func (c *Config) Policy() (*policy.Policy, error) {
	rules, err := c.AllRules()
	if err != nil {
		return nil, err
	}
	return policy.New(rules, policy.Local(c.Local))
}

// AllRules returns all rules in their order: those that only add something, those
// by which the lists of people count, by which domains switch scanners off or override the host's, the file's own,
// those of policy.d, those of domains, those that follow from other settings, and
// those of the profile.
func (c *Config) AllRules() ([]policy.Rule, error) {
	shipped, err := policy.Profile(c.Profile)
	if err != nil {
		return nil, err
	}
	rules := append(c.addedRules(), policy.ListRules(c.Profile, c.People.Lists.Skips)...)
	rules = append(rules, c.switchedOff()...)
	rules = append(rules, c.overriding()...)
	for _, r := range c.Rules {
		rules = append(rules, c.withoutScore(r.compiled))
	}
	rules = append(rules, c.domainRules()...)
	for i, v := range c.Virus {
		if v.OnFailure != "tempfail" { // which is what every profile does
			rules = append(rules, c.onFailure(i, v))
		}
	}
	if len(c.Local.Domains) > 0 {
		rules = append(rules, c.relayControl())
	}
	if c.Greylist.Enabled {
		rules = append(rules, c.greylisting())
	}
	for i := range rules {
		rules[i].Outcome = c.hearing(rules[i].Outcome)
	}
	return append(rules, shipped...), nil
}

// onFailure returns the rule for an engine's on_failure. Mail that is delivered without
// this engine's opinion bears a mark that says so.
func (c *Config) onFailure(i int, v virus.Config) policy.Rule {
	origin := c.origin(fmt.Sprintf("virus[%d].on_failure", i))
	out := policy.Outcome{Answer: answers[v.OnFailure]}
	if out.Answer == policy.Deliver {
		out.Headers = []policy.HeaderField{{Name: "X-Milterscan", Value: "not scanned ({rule})"}}
	}
	return policy.Rule{
		Ref:     policy.RuleRef{Name: v.Name + " on_failure", File: origin.File, Line: origin.Line},
		Grounds: policy.Grounds{When: []policy.Condition{policy.Named("virus/failed/" + v.Name)}},
		Outcome: out,
	}
}

// Unpack returns the limits for opening messages.
func (l Limits) Unpack() unpack.Limits {
	return unpack.Limits{Entity: l.MIME, Archive: l.Archive, Parts: l.Parts, Nesting: l.Nesting, CPU: l.CPU.Go()}
}
