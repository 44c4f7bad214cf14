package pipeline

import (
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/dmarc"
	"github.com/milterscan/milterscan/policy/token"
	"github.com/milterscan/milterscan/scan/sender/dns"
)

// Reports returns the counts that reports of DMARC are made from: those of all hosts, or those in the file of a
// configuration. The caller closes it.
func (k *Stores) Reports(c *config.Config) dmarc.Store {
	if k.Fleet == nil {
		return dmarc.NewFile(c.DMARC.File)
	}
	return dmarc.NewShared(k.Tables(), c.DMARC.File)
}

// ReportPost returns what sends reports of DMARC from a store, by the terms of a configuration.
func ReportPost(c *config.Config, s dmarc.Store) dmarc.Post {
	_, host := Author(c)
	return dmarc.Post{
		Store: s, Sender: c.Submission.Via, Resolver: dns.NewClient(c.DNS), Questions: c.DNS.Questions,
		Key: token.KeyFile(c.Quarantine.Key()).Make, Terms: c.DMARC, Host: host,
	}
}
