package config

import "github.com/milterscan/milterscan/policy"

// addedRules returns the rules made from settings that add something to mail.
// They come first, since they decide nothing.
func (c *Config) addedRules() []policy.Rule {
	var rules []policy.Rule
	if c.Auth.Enabled() && c.Auth.Results {
		rules = append(rules, c.adding("auth.results", policy.Named("auth/results"), "Authentication-Results", "{detail}"))
	}
	if c.Bounce.Enabled() {
		rules = append(rules, c.marking())
	}
	if c.Spam.ScoreHeader != "" {
		rules = append(rules, c.adding("spam.score_header", policy.ScoreAtLeast(1), c.Spam.ScoreHeader, "{score} {bar} {scored}"))
	}
	return rules
}

// adding returns a rule that adds one field.
func (c *Config) adding(key string, when policy.Condition, name, value string) policy.Rule {
	origin := c.origin(key)
	return policy.Rule{
		Ref:     policy.RuleRef{Name: key, File: origin.File, Line: origin.Line},
		Grounds: policy.Grounds{When: []policy.Condition{when}},
		Mode:    policy.Adds,
		Outcome: policy.Outcome{Headers: []policy.HeaderField{{Name: name, Value: value}}},
	}
}

// relayControl refuses mail from elsewhere to elsewhere. It comes after the
// site's own rules, which may know better.
func (c *Config) relayControl() policy.Rule {
	origin := c.origin("local.domains")
	return policy.Rule{
		Ref:   policy.RuleRef{Name: "relay control", File: origin.File, Line: origin.Line},
		Scope: policy.Scope{Direction: policy.Relayed},
		Outcome: policy.Outcome{
			Answer: policy.Reject,
			Reply:  policy.NoRelay,
		},
	}
}
