package pipeline

import (
	"fmt"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/bounce"
	"github.com/milterscan/milterscan/scan/sender/greylist"
	"github.com/milterscan/milterscan/scan/sender/rate"
)

// CheckKeys reads what a daemon must be able to read before it begins. Who looks
// at one mail and may not read it says so with that mail.
func CheckKeys(c *config.Config) error {
	if !c.Bounce.Enabled() {
		return nil
	}
	if _, err := bounce.KeyFile(c.Bounce.Keys).Read(); err != nil {
		return fmt.Errorf("bounce.keys: %w", err)
	}
	return nil
}

// marking is the scanner that knows bounces of our own mail, if there are keys.
func marking(c *config.Config) []scan.Scanner {
	if !c.Bounce.Enabled() {
		return nil
	}
	local := policy.Local(c.Local)
	w := bounce.With{Keys: bounce.KeyFile(c.Bounce.Keys).Read, Trusted: local.Trusts}
	if len(local.Domains) > 0 {
		w.Local = local.Has
	}
	return []scan.Scanner{bounce.New(c.Bounce, w)}
}

// remembering are the scanners that hold a message against those before it. Only
// the daemon has them: what the commands look at has arrived, and is no news.
func remembering(c *config.Config, with *Shared) []scan.Scanner {
	if !with.Live {
		return nil
	}
	var list []scan.Scanner
	if c.Greylist.Enabled {
		list = append(list, greylist.New(c.Greylist, with.Kept.Greylist(c.Greylist.File), policy.Local(c.Local).Trusts))
	}
	if len(c.Rate.Limits) > 0 {
		list = append(list, rate.New(c.Rate, with.Kept.Rate(c.Rate.File)))
	}
	return list
}
