package main

import (
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/auth"
	"github.com/milterscan/milterscan/scan/dkim"
	"github.com/milterscan/milterscan/scan/dns"
	"github.com/milterscan/milterscan/scan/dnslist"
	"github.com/milterscan/milterscan/scan/inventory"
)

// networked are the scanners that ask resolvers, as far as they are switched on.
func networked(c *config.Config, texts *inventory.Inventory) []scan.Scanner {
	if len(c.DNS.Servers) == 0 {
		return nil
	}
	resolver := dns.NewClient(c.DNS)
	ours := policy.Local(c.Local).Trusts
	signatures := dkim.New(resolver, c.Auth.Signatures)
	var list []scan.Scanner
	if len(c.Spam.Lists) > 0 {
		list = append(list, dnslist.New(c.Spam.Config, dnslist.With{
			Resolver: resolver, Questions: c.DNS.Questions, Trusted: ours, Texts: texts, Signatures: signatures,
		}))
	}
	if c.Auth.Enabled() {
		list = append(list, auth.New(c.Auth, auth.With{
			Resolver: resolver, Questions: c.DNS.Questions, Trusted: ours, Signatures: signatures,
		}))
	}
	return list
}
