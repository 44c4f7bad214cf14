package main

import (
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/greylist"
)

// remembering are the scanners that hold a message against those before it. Only
// the daemon has them: what the commands look at has arrived, and is no news.
func remembering(c *config.Config, with *commons) []scan.Scanner {
	if !with.live || !c.Greylist.Enabled {
		return nil
	}
	memory := with.kept.greylist(c.Greylist.File)
	return []scan.Scanner{greylist.New(c.Greylist, memory, policy.Local(c.Local).Trusts)}
}
