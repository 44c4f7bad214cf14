package survey

import (
	"context"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/rspamd"
	"github.com/milterscan/milterscan/scan/sender/spamd"
)

// Scorer is a spamd or an rspamd that answers.
type Scorer struct {
	Name    string // "SpamAssassin" or "rspamd"
	Section string // of the configuration
	Address string
}

// pingTime is how long a scorer of this host may take to say that it is there.
const pingTime = 5 * time.Second

// scorers asks at each place where a scorer may listen; the first of a kind counts.
func (p Places) scorers(ctx context.Context) (found []Scorer) {
	ctx, cancel := context.WithTimeout(ctx, pingTime)
	defer cancel()
	for _, address := range p.Spamd {
		c := spamd.DefaultConfig()
		c.Addresses = []string{address}
		if spamd.New(c, func(scan.Envelope) bool { return true }).Ping(ctx) == nil {
			found = append(found, Scorer{"SpamAssassin", "spam.spamassassin", address})
			break
		}
	}
	for _, address := range p.Rspamd {
		c := rspamd.DefaultConfig()
		c.Addresses = []string{address}
		s, err := rspamd.New(c, rspamd.With{})
		if err == nil && s.Ping(ctx) == nil {
			found = append(found, Scorer{"rspamd", "spam.rspamd", address})
			break
		}
	}
	return found
}
