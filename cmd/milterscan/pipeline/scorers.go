package pipeline

import (
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/spamd"
)

// scorers are the scanners that are asked only where some rule rests on what they
// say.
func scorers(c *config.Config, rules *policy.Policy) []scan.Scanner {
	if len(c.Spam.SpamAssassin.Addresses) == 0 {
		return nil
	}
	interest := rules.Interest(spamd.Opinions())
	ours := policy.Local(c.Local).Trusts
	return []scan.Scanner{spamd.New(c.Spam.SpamAssassin, func(e scan.Envelope) bool {
		return (c.Spam.SpamAssassin.Outbound || !ours(e)) && interest.Covers(e)
	})}
}
