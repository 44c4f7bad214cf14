package config

import (
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan/sender/bounce"
)

// checkBounce checks the section [bounce].
func (b *binder) checkBounce(c *Config) {
	if err := c.Bounce.Check(); err != nil {
		b.wrong("bounce", "%v", oneLine(err))
	}
}

// marking puts the mark on mail that goes out.
func (c *Config) marking() policy.Rule {
	return c.adding("bounce.keys", policy.Named(bounce.Marked), bounce.Field, "{detail}")
}
