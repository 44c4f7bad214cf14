package config

import "github.com/milterscan/milterscan/policy/secret"

// SecretFile says where a secret is.
type SecretFile = secret.File

// giveTokens gives each engine that is asked over HTTP what reads its token.
func (c *Config) giveTokens() {
	for i := range c.Virus {
		if v := &c.Virus[i]; v.TokenFile != "" {
			v.Token = secret.File(v.TokenFile).Read
		}
	}
}
