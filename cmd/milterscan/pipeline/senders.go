package pipeline

import (
	"fmt"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/auth"
	"github.com/milterscan/milterscan/scan/sender/bounce"
	"github.com/milterscan/milterscan/scan/sender/contact"
	"github.com/milterscan/milterscan/scan/sender/dnslist"
	"github.com/milterscan/milterscan/scan/sender/greylist"
	"github.com/milterscan/milterscan/scan/sender/rate"
	"github.com/milterscan/milterscan/scan/sender/recipient"
	"github.com/milterscan/milterscan/scan/sender/relay"
	"github.com/milterscan/milterscan/scan/sender/rspamd"
	"github.com/milterscan/milterscan/scan/sender/spamd"
)

// relays looks at what clients say about themselves.
func relays(s *site) ([]scan.Scanner, error) {
	checks := s.RelayChecks()
	if !checks.Enabled() {
		return nil, nil
	}
	ours := policy.NewDomainSet(s.local.Domains)
	return one(relay.New(checks, relay.With{
		Resolver: s.resolver, Questions: s.DNS.Questions, Trusted: s.local.Trusts,
		Local: func(domain string) bool { return ours.Has("@" + domain) },
	}), nil)
}

// dnsLists asks DNS lists.
func dnsLists(s *site) ([]scan.Scanner, error) {
	if len(s.Spam.Lists) == 0 {
		return nil, nil
	}
	return one(dnslist.New(s.Spam.Config, dnslist.With{
		Resolver: s.resolver, Questions: s.DNS.Questions, Trusted: s.local.Trusts, Texts: s.texts, Signatures: s.signatures,
		Heard: s.heard(),
	}), nil)
}

// heard returns the function that is told of questions to DNS lists.
func (s *site) heard() func(dnslist.Heard) {
	if s.Heard == nil {
		return nil
	}
	return func(h dnslist.Heard) { s.Heard(h.List, string(h.Result), h.Result != dnslist.Off, h.Took) }
}

// authentication checks SPF, DKIM and DMARC.
func authentication(s *site) ([]scan.Scanner, error) {
	if !s.Auth.Enabled() {
		return nil, nil
	}
	w := auth.With{Resolver: s.resolver, Questions: s.DNS.Questions, Trusted: s.local.Trusts, Signatures: s.signatures}
	if s.Live && s.DMARC.Enabled {
		w.Evaluations = &s.Evaluations
	}
	return one(auth.New(s.Auth, w), nil)
}

// spamAssassin asks SpamAssassin, only where some rule rests on what it says.
func spamAssassin(s *site) ([]scan.Scanner, error) {
	c := s.Spam.SpamAssassin
	if len(c.Addresses) == 0 {
		return nil, nil
	}
	interest := s.rules.Interest(spamd.Opinions())
	return one(spamd.New(c, func(e scan.Envelope) bool {
		return (c.Outbound || !s.local.Trusts(e)) && interest.Covers(e)
	}), nil)
}

// rspamdScorer asks rspamd, only where some rule rests on what it says.
func rspamdScorer(s *site) ([]scan.Scanner, error) {
	c := s.Spam.Rspamd
	if len(c.Addresses) == 0 {
		return nil, nil
	}
	interest := s.rules.Interest(rspamd.Opinions())
	return one(rspamd.New(c.Config, rspamd.With{
		Wanted:   func(e scan.Envelope) bool { return (c.Outbound || !s.local.Trusts(e)) && interest.Covers(e) },
		Password: c.PasswordFile.Read,
	}))
}

// bounces returns the scanner that knows bounces of our mail, if there are keys.
func bounces(s *site) ([]scan.Scanner, error) {
	if !s.Bounce.Enabled() {
		return nil, nil
	}
	w := bounce.With{Keys: bounce.KeyFile(s.Bounce.Keys).Read, Trusted: s.local.Trusts}
	if len(s.local.Domains) > 0 {
		w.Local = s.local.Has
	}
	return one(bounce.New(s.Bounce, w), nil)
}

// recipients looks recipients up in the directory of people, where rules can go by that.
func recipients(s *site) ([]scan.Scanner, error) {
	grouped := len(s.Groups()) > 0
	if !grouped && !s.People.Complete() {
		return nil, nil
	}
	w := recipient.With{Known: s.Directory.Known}
	if grouped {
		w.Ready = s.Directory.Ready
	}
	if s.Live {
		return one(recipient.NewEarly(w), nil)
	}
	return one(recipient.New(w), nil)
}

// greylisting puts off unknown senders. Only the daemon does: the mail that
// commands look at has arrived, and is not new.
func greylisting(s *site) ([]scan.Scanner, error) {
	if !s.Live || !s.Greylist.Enabled {
		return nil, nil
	}
	return one(greylist.New(s.Greylist, s.Stores.Greylist(s.Config), s.local.Trusts), nil)
}

// contacts remembers which addresses have written to each other. Only the daemon does, as with the
// greylist.
func contacts(s *site) ([]scan.Scanner, error) {
	if !s.Live || !s.Contact.Enabled {
		return nil, nil
	}
	return one(contact.New(s.Contact, contact.With{
		Store: s.Stores.Contact(s.Contact.File), Trusted: s.local.Trusts, Delimiter: s.People.Delimiter,
	}), nil)
}

// rates counts recipients, as the daemon gets them.
func rates(s *site) ([]scan.Scanner, error) {
	if !s.Live || len(s.Rate.Limits) == 0 {
		return nil, nil
	}
	return one(rate.New(s.Rate, s.Stores.Rates(s.Config)), nil)
}

// CheckKeys reads what a daemon must be able to read before it begins. A command
// that looks at one mail and may not read it says so with that mail.
func CheckKeys(c *config.Config) error {
	if !c.Bounce.Enabled() {
		return nil
	}
	if _, err := bounce.KeyFile(c.Bounce.Keys).Read(); err != nil {
		return fmt.Errorf("bounce.keys: %w", err)
	}
	return nil
}
