package config

import (
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan/sender/greylist"
)

// greylisting puts off clients that are not known yet. It comes after the site's
// own rules, so that one of them may let a client or a recipient alone.
func (c *Config) greylisting() policy.Rule {
	origin := c.origin("greylist.enabled")
	r := policy.Rule{
		Ref:     policy.RuleRef{Name: "greylisting", File: origin.File, Line: origin.Line},
		Grounds: policy.Grounds{When: []policy.Condition{policy.Named(greylist.FirstSeen), policy.Named(greylist.TooEarly)}},
		Outcome: policy.Outcome{
			Answer: policy.Tempfail,
			Reply:  policy.NotKnownYet,
		},
	}
	if least := c.Greylist.MinScore; least != 0 {
		r.Grounds.Requires = append(r.Grounds.Requires, policy.ScoreAtLeast(least))
	}
	if most := c.Greylist.MaxScore; most != 0 {
		r.Grounds.Unless = append(r.Grounds.Unless, policy.ScoreAtLeast(most))
	}
	return r
}
