package doctor

import (
	"context"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/rspamd"
	"github.com/milterscan/milterscan/scan/sender/spamd"
)

// spamAssassin tells whether every spamd answers, and whether any rule wants its score.
func (p *Installation) spamAssassin(ctx context.Context) []Finding {
	c := p.Config.Spam.SpamAssassin
	var found []Finding
	for _, address := range c.Addresses {
		one := c
		one.Addresses = []string{address}
		err := spamd.New(one, func(scan.Envelope) bool { return true }).Ping(ctx)
		if err != nil {
			found = append(found,
				fault("start it (systemctl start spamd), or correct spam.spamassassin.address", "%v", err))
			continue
		}
		found = append(found, ok("%s answers", address))
	}
	return append(found, p.unasked(found, spamd.Opinions())...)
}

// rspamd tells whether every rspamd answers, and whether any rule wants its score.
func (p *Installation) rspamd(ctx context.Context) []Finding {
	c := p.Config.Spam.Rspamd
	if len(c.Addresses) == 0 {
		return p.controller(ctx)
	}
	found := p.secret("spam.rspamd.password_file", c.PasswordFile)
	for _, address := range c.Addresses {
		one := c.Config
		one.Addresses = []string{address}
		s, err := rspamd.New(one, rspamd.With{})
		if err == nil {
			err = s.Ping(ctx)
		}
		if err != nil {
			found = append(found, fault("start it (systemctl start rspamd), or correct spam.rspamd.address", "%v", err))
			continue
		}
		found = append(found, ok("%s answers", address))
	}
	found = append(found, p.controller(ctx)...)
	return append(found, p.unasked(found, rspamd.Opinions())...)
}

// controller tells whether the controller of rspamd answers.
func (p *Installation) controller(ctx context.Context) []Finding {
	c := p.Config.Spam.Rspamd
	if c.Controller == "" {
		return nil
	}
	found := p.secret("spam.rspamd.controller_password_file", c.ControllerPasswordFile)
	one := rspamd.Controller{Address: c.Controller, CAFile: c.CAFile, Timeout: c.Timeout.Go()}
	if err := one.Ping(ctx); err != nil {
		return append(found, fault("start it (systemctl start rspamd), or correct spam.rspamd.controller", "%v", err))
	}
	return append(found, ok("%s answers", c.Controller))
}

// unasked returns advice if a scorer answers, and no rule needs its score.
func (p *Installation) unasked(servers []Finding, opinions []scan.Rule) []Finding {
	rules, err := p.Config.Policy()
	if err != nil || len(servers) == 0 || rules.Interest(opinions).Any() {
		return nil
	}
	return []Finding{advice("write a rule with when = [\"score >= 5\"]",
		"it is never asked: no rule rests on the score")}
}
