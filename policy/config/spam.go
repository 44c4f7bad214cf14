package config

import (
	"github.com/milterscan/milterscan/scan/sender/dnslist"
	"github.com/milterscan/milterscan/scan/sender/rspamd"
	"github.com/milterscan/milterscan/scan/sender/spamd"
	"github.com/milterscan/milterscan/scan/units"
)

// Spam is what others say about mail.
type Spam struct {
	// The header field with the score of messages that have one of at least 1, such
	// as "X-Milterscan-Score": as a number, as stars, and with the findings that
	// make it; "" for none.
	ScoreHeader string `toml:"score_header"`
	dnslist.Config
	// SpamAssassin, whose score is added to the message's own. It is asked only
	// about mail for which some rule of yours rests on the score, or on what it
	// alone can say ("spam/sa/BAYES_99"); what it does not answer counts for nothing.
	SpamAssassin spamd.Config `toml:"spamassassin"`
	// Whether a message that is released is learned as no spam, if a scorer has looked
	// at it and it was kept for nothing worse than a score; see "learn" and "controller".
	LearnReleased bool `toml:"learn_released"`
	// Rspamd, which is asked as SpamAssassin is. Where both are, the higher of their
	// scores is added to the message's own; "spam/rspamd >= 8" in a rule is about
	// one alone. What rspamd would do is a finding: "spam/rspamd-action/reject".
	Rspamd Rspamd `toml:"rspamd"`
}

func defaultSpam() Spam {
	return Spam{Config: dnslist.DefaultConfig(), SpamAssassin: spamd.DefaultConfig(), Rspamd: Rspamd{Config: rspamd.DefaultConfig()}}
}

// Rspamd is the section [spam.rspamd].
type Rspamd struct {
	rspamd.Config
	// The file with the password that the worker wants, or "env:NAME" for a variable
	// of the environment; "" for none.
	PasswordFile SecretFile `toml:"password_file"`
	// Where rspamd's controller listens, which is told what people say is spam, and what
	// is not: as in address, such as "http://127.0.0.1:11334"; "" for no learning.
	Controller string `toml:"controller"`
	// The file with the controller's password, or "env:NAME"; "" for none.
	ControllerPasswordFile SecretFile `toml:"controller_password_file"`
}

// Learns reports whether any scorer learns spam.
func (s Spam) Learns() bool {
	return s.Rspamd.Controller != "" || s.SpamAssassin.Learn && len(s.SpamAssassin.Addresses) > 0
}

// Check returns the errors of the section [spam.rspamd].
func (r Rspamd) Check() error {
	var check units.Check
	check.Add(r.Config.Check())
	if r.PasswordFile != "" {
		check.Add(units.Within("password_file", r.CheckPassword()))
	}
	if r.Controller != "" {
		check.Add(units.Within("controller", rspamd.CheckController(r.Controller, r.ControllerPasswordFile != "")))
	}
	check.If(r.Controller == "" && r.ControllerPasswordFile != "", "controller_password_file", "it is of no use without a controller")
	return check.Err()
}

// checkScorers checks that rspamd has less time than the message, and that where something is to be learned
// a scorer learns.
func (b *binder) checkScorers(c *Config) {
	const none = "no scorer learns; set spam.rspamd.controller or spam.spamassassin.learn"
	if c.Spam.LearnReleased && !c.Spam.Learns() {
		b.wrong("spam.learn_released", none)
	}
	if c.People.Pages.Learn && !c.Spam.Learns() {
		b.wrong("people.pages.learn", none)
	}
	if r := c.Spam.Rspamd; len(r.Addresses) > 0 && r.Timeout >= c.Limits.Time {
		b.wrong("spam.rspamd.timeout", "%v is not less than limits.time, which is %v for the whole message; write less, such as %q",
			r.Timeout, c.Limits.Time, c.Limits.Time/4)
	}
}
