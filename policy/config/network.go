package config

import "github.com/milterscan/milterscan/scan/sender/relay"

// checkResolvers wants a resolver where some check asks one.
func (b *binder) checkResolvers(c *Config) {
	for section, wanted := range map[string]bool{"auth": c.Auth.Enabled(), "relay": c.Relay.NeedsDNS(), "spam.list": len(c.Spam.Lists) > 0} {
		if wanted && len(c.DNS.Servers) == 0 {
			b.wrong(section, "there is no resolver to ask; write one into dns.servers, such as \"127.0.0.1:53\"")
		}
	}
}

// RelayChecks returns the checks of section [relay], with those that are on by
// themselves switched on.
func (c *Config) RelayChecks() relay.Config {
	r := c.Relay
	if r.SenderDomain == relay.Auto && len(c.DNS.Servers) > 0 && len(c.Local.Domains) > 0 {
		r.SenderDomain = relay.On
	}
	return r
}
