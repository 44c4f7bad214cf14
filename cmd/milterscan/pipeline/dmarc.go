package pipeline

import (
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/dmarc"
	"github.com/milterscan/milterscan/policy/token"
	"github.com/milterscan/milterscan/scan/sender/dns"
)

// ReportPost returns what sends reports of DMARC from a file, by the terms of a configuration.
func ReportPost(c *config.Config, s *dmarc.Store) dmarc.Post {
	_, host := Author(c)
	return dmarc.Post{
		Store: s, Sender: c.Submission.Via, Resolver: dns.NewClient(c.DNS), Questions: c.DNS.Questions,
		Key: token.KeyFile(c.Quarantine.Key()).Make, Terms: c.DMARC, Host: host,
	}
}
