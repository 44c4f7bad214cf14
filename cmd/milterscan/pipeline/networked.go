package pipeline

import (
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/open/texts"
	"github.com/milterscan/milterscan/scan/sender/auth"
	"github.com/milterscan/milterscan/scan/sender/dkim"
	"github.com/milterscan/milterscan/scan/sender/dns"
	"github.com/milterscan/milterscan/scan/sender/dnslist"
	"github.com/milterscan/milterscan/scan/sender/relay"
)

// networked are the scanners that look at clients and ask resolvers, as far as
// they are switched on.
func networked(c *config.Config, texts *texts.Inventory) []scan.Scanner {
	local := policy.Local(c.Local)
	checks := c.RelayChecks()
	var resolver dns.Resolver
	if len(c.DNS.Servers) > 0 {
		resolver = dns.NewClient(c.DNS)
	}
	var list []scan.Scanner
	if checks.Enabled() {
		list = append(list, relay.New(checks, relay.With{
			Resolver: resolver, Questions: c.DNS.Questions, Trusted: local.Trusts,
			Local: func(domain string) bool { return local.Has("@" + domain) },
		}))
	}
	signatures := dkim.New(resolver, c.Auth.Signatures)
	if len(c.Spam.Lists) > 0 {
		list = append(list, dnslist.New(c.Spam.Config, dnslist.With{
			Resolver: resolver, Questions: c.DNS.Questions, Trusted: local.Trusts, Texts: texts, Signatures: signatures,
		}))
	}
	if c.Auth.Enabled() {
		list = append(list, auth.New(c.Auth, auth.With{
			Resolver: resolver, Questions: c.DNS.Questions, Trusted: local.Trusts, Signatures: signatures,
		}))
	}
	return list
}

// announced is what the scanners that are asked before the message can find.
func announced(list []scan.Scanner) []scan.Rule {
	early := map[string]bool{}
	for _, s := range list {
		if _, ok := s.(scan.EnvelopeScanner); ok {
			word, _, _ := strings.Cut(s.Name(), "/")
			early[word] = true
		}
	}
	return slices.DeleteFunc(Catalogue(), func(r scan.Rule) bool {
		word, _, _ := strings.Cut(r.Name, "/")
		return !early[word]
	})
}
