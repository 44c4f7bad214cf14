package pipeline

import (
	"slices"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/contents/attachment"
	"github.com/milterscan/milterscan/scan/contents/content"
	"github.com/milterscan/milterscan/scan/contents/document"
	"github.com/milterscan/milterscan/scan/contents/listed"
	"github.com/milterscan/milterscan/scan/contents/virus"
	"github.com/milterscan/milterscan/scan/open/texts"
	"github.com/milterscan/milterscan/scan/sender/auth"
	"github.com/milterscan/milterscan/scan/sender/bounce"
	"github.com/milterscan/milterscan/scan/sender/contact"
	"github.com/milterscan/milterscan/scan/sender/dkim"
	"github.com/milterscan/milterscan/scan/sender/dns"
	"github.com/milterscan/milterscan/scan/sender/dnslist"
	"github.com/milterscan/milterscan/scan/sender/greylist"
	"github.com/milterscan/milterscan/scan/sender/network"
	"github.com/milterscan/milterscan/scan/sender/rate"
	"github.com/milterscan/milterscan/scan/sender/recipient"
	"github.com/milterscan/milterscan/scan/sender/relay"
	"github.com/milterscan/milterscan/scan/sender/rspamd"
	"github.com/milterscan/milterscan/scan/sender/spamd"
)

// entry is a row of the roster.
type entry struct {
	section string             // of the configuration
	finds   func() []scan.Rule // everything it can find
	looks   place
	make    func(*site) ([]scan.Scanner, error) // none where it is switched off
}

// place is the part of a mail that a scanner looks at.
type place int

const (
	// contents are looked at again after a message was edited.
	contents place = iota
	// sender and envelope stay what they are, so they are looked at once, and as
	// early as the scanner can.
	sender
)

// roster returns the one list of all scanners, in the order of their reports.
func roster() []entry {
	return []entry{
		{"virus", virus.Catalogue, contents, engines},
		{"attachment", attachment.Catalogue, contents, func(s *site) ([]scan.Scanner, error) { return one(attachment.New(s.Attachment)) }},
		{"document", document.Catalogue, contents, func(s *site) ([]scan.Scanner, error) { return one(document.New(s.Document)) }},
		{"content", content.Catalogue, contents, shown},
		{"feed", listed.Catalogue, contents, listedContents},
		{"feed", network.Catalogue, sender, listedClients},
		{"relay", relay.Catalogue, sender, relays},
		{"spam", dnslist.Catalogue, sender, dnsLists},
		{"auth", auth.Catalogue, sender, authentication},
		{"spam.spamassassin", spamd.Catalogue, sender, spamAssassin},
		{"spam.rspamd", rspamd.Catalogue, sender, rspamdScorer},
		{"people", recipient.Catalogue, sender, recipients},
		{"bounce", bounce.Catalogue, sender, bounces},
		{"greylist", greylist.Catalogue, sender, greylisting},
		{"contact", contact.Catalogue, sender, contacts},
		{"rate", rate.Catalogue, sender, rates},
	}
}

// site is what scanners are made from: the configuration, what all generations
// share, and what the scanners of one generation share.
type site struct {
	*config.Config
	*Shared
	local      policy.Local
	rules      *policy.Policy
	texts      *texts.Inventory
	resolver   dns.Resolver // nil if none is configured
	signatures *dkim.Verifier
}

func newSite(c *config.Config, with *Shared, rules *policy.Policy) *site {
	s := &site{Config: c, Shared: with, local: policy.Local(c.Local), rules: rules}
	s.texts = texts.New(c.Content.Limits, max(c.Content.Extent(), c.Spam.Extent(), extentOf(c.Feeds)))
	readPDFs(c, s.texts)
	readCodes(c, with.Workers, s.texts)
	if len(c.DNS.Servers) > 0 {
		s.resolver = dns.NewClient(c.DNS)
	}
	s.signatures = dkim.New(s.resolver, c.Auth.Signatures)
	return s
}

// scanners are those of one generation.
type scanners struct {
	contents, sender []scan.Scanner
	early            []scan.Rule // what can be found before the message is there
}

// scanners makes everything on the roster.
func (s *site) scanners() (all scanners, err error) {
	for _, row := range roster() {
		if s.Recall != nil && row.recalled() {
			continue
		}
		made, err := row.make(s)
		if err != nil {
			return all, err
		}
		if row.looks == contents {
			all.contents = append(all.contents, made...)
			continue
		}
		all.sender = append(all.sender, made...)
		if slices.ContainsFunc(made, isEarly) {
			all.early = append(all.early, row.finds()...)
		}
	}
	if s.Recall != nil {
		all.sender = append(all.sender, s.Recall)
	}
	return all, nil
}

func isEarly(s scan.Scanner) bool {
	_, ok := s.(scan.EnvelopeScanner)
	return ok
}

// one returns a single scanner as a list.
func one[S scan.Scanner](s S, err error) ([]scan.Scanner, error) {
	if err != nil {
		return nil, err
	}
	return []scan.Scanner{s}, nil
}
