package auth

import (
	"cmp"
	"context"
	"fmt"
	"os"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/sender/dkim"
	"github.com/milterscan/milterscan/scan/sender/dns"
	"github.com/milterscan/milterscan/scan/sender/origin"
)

// With holds the things the checks need from the program. All fields but the last are
// required.
type With struct {
	Resolver   dns.Resolver
	Questions  int                      // that may be put about one message
	Trusted    func(scan.Envelope) bool // whose mail is not checked: its authors are ours
	Signatures *dkim.Verifier

	Evaluations *Evaluations // keeps what reports are made of; nil for none
}

// Scanner checks messages. SPF is told before the message, since it takes no
// more than the envelope.
type Scanner struct {
	config Config
	id     string
	with   With
}

// New returns a scanner for a valid configuration.
func New(c Config, w With) *Scanner { return &Scanner{config: c, id: c.SiteID(), with: w} }

// SiteID returns the name of this site in Authentication-Results.
func (c Config) SiteID() string {
	if c.ID != "" {
		return c.ID
	}
	if name, err := os.Hostname(); err == nil && isToken(name) {
		return name
	}
	return "localhost"
}

// Name implements scan.Scanner.
func (s *Scanner) Name() string { return word }

// At implements scan.SpeaksAt.
func (s *Scanner) At(stage scan.Stage) bool { return stage == scan.StageMail && s.config.SPF }

// ScanEnvelope implements scan.EnvelopeScanner.
func (s *Scanner) ScanEnvelope(ctx context.Context, stage scan.Stage, e scan.Envelope) ([]scan.Finding, error) {
	if stage != scan.StageMail || !s.config.SPF || s.with.Trusted(e) {
		return nil, nil
	}
	r := checkSPF(ctx, dns.Limited(s.with.Resolver, s.with.Questions), e)
	return []scan.Finding{s.found(rule("spf-"+r.result), r.String())}, ctx.Err()
}

// String returns the result for the log.
func (r spfResult) String() string {
	what := "mailfrom"
	if r.helo {
		what = "helo"
	}
	return fmt.Sprintf("%s %s: %s", what, r.domain, r.why)
}

// Scan implements scan.Scanner.
func (s *Scanner) Scan(ctx context.Context, m *scan.Message) ([]scan.Finding, error) {
	out := newResults(s.id)
	if user := m.Envelope.AuthUser; user != "" {
		out.add("auth", "pass", "smtp.auth", user)
	}
	var found []scan.Finding
	var err error
	if !s.with.Trusted(m.Envelope) {
		found, err = s.check(ctx, m, out)
	}
	if s.config.Results && out.said {
		found = append(found, s.found(ruleResults, out.value()))
	}
	return found, err
}

// check collects the evidence and the result of DMARC.
func (s *Scanner) check(ctx context.Context, m *scan.Message, out *results) ([]scan.Finding, error) {
	r := dns.Limited(s.with.Resolver, s.with.Questions)
	var e evidence
	var found []scan.Finding
	if s.config.SPF || s.config.DMARC {
		e.spf = checkSPF(ctx, r, m.Envelope)
		out.spf(e.spf, m.Envelope)
	}
	if s.config.DKIM || s.config.DMARC {
		e.signatures, e.unknown = s.with.Signatures.Of(ctx, m)
		out.dkim(e.signatures)
		found = append(found, s.dkimFindings(m.Header, e.signatures)...)
	}
	if s.config.DMARC {
		d := checkDMARC(ctx, r, m.Header, e)
		a, err := s.checkARC(ctx, r, m, d)
		out.dmarc(d)
		out.arc(a, m.Envelope)
		found = append(found, s.dmarcFindings(d, a)...)
		s.evaluated(ctx, m, d, a, e)
		e.unknown = cmp.Or(e.unknown, err)
	}
	return found, e.unknown
}

// dkimFindings returns one for each result that signatures have, and one if any is the author's.
func (s *Scanner) dkimFindings(h entity.Header, list []dkim.Signature) []scan.Finding {
	if !s.config.DKIM {
		return nil
	}
	if len(list) == 0 {
		return []scan.Finding{s.found("dkim-none", "")}
	}
	var found []scan.Finding
	for _, result := range [...]dkim.Result{dkim.Pass, dkim.Fail, dkim.PermError, dkim.TempError} {
		if text := described(list, result); text != "" {
			found = append(found, s.found(rule("dkim-"+string(result)), text))
		}
	}
	if domain := ofAuthor(h, list); domain != "" {
		found = append(found, s.found("dkim-author", "d="+domain))
	}
	return found
}

// ofAuthor returns the domain of a valid signature that is the author's, or one above it, to which
// the author's belongs; "" if there is none. A domain below the author's may be another's.
func ofAuthor(h entity.Header, list []dkim.Signature) string {
	author, err := origin.Author(h)
	if err != nil {
		return ""
	}
	author = ascii(author)
	for _, sig := range list {
		signed := markup.Hostname(sig.Domain)
		if sig.Valid() && signed != "" && (author == signed || markup.Below(author, signed) && markup.Suffixed(signed)) {
			return signed
		}
	}
	return ""
}

// described names the signatures with a result.
func described(list []dkim.Signature, result dkim.Result) string {
	text := ""
	for _, sig := range list {
		switch {
		case sig.Result != result:
			continue
		case text != "":
			text += "; "
		}
		if text += "d=" + sig.Domain; sig.Reason != "" {
			text += ": " + sig.Reason
		}
	}
	return text
}

// dmarcFindings returns the finding of DMARC and that of ARC. What hosts that are
// believed have confirmed replaces a failure, so that rules about failures do not
// apply.
func (s *Scanner) dmarcFindings(d dmarcResult, a arcResult) []scan.Finding {
	var found []scan.Finding
	if a.rule != ruleTrusted {
		found = append(found, s.found(d.rule(), d.domain+": "+d.why))
	}
	if a.rule != "" {
		found = append(found, s.found(a.rule, a.why))
	}
	if d.two {
		found = append(found, s.found(ruleTwoAuthors, d.why))
	}
	return found
}
