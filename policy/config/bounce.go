package config

import (
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan/sender/bounce"
)

// marking puts the mark on mail that goes out.
func (c *Config) marking() policy.Rule {
	return c.adding("bounce.keys", policy.Named(bounce.Marked), bounce.Field, "{detail}")
}
