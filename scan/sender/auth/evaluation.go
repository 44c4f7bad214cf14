package auth

import (
	"context"
	"net/netip"
	"slices"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/sender/dkim"
)

// Evaluation is what DMARC found about a message, for the domain whose policy was
// applied and that asks for reports (RFC 9990).
type Evaluation struct {
	Client  netip.Addr
	Author  string // the domain in the From field
	Sender  string // the domain of the envelope sender; "" for the null sender
	Policy  Published
	Passed  bool
	Asked   string // what the policy wants done with a failure: none, quarantine, reject
	Softer  bool   // Asked is softer than the policy, which is being tested
	Trusted bool   // a sealer who is believed has confirmed the author

	SPF     string // the result of the envelope sender; "" if SPF looked at HELO
	SPFFits bool   // it passed, for a domain that is aligned
	DKIM    []Signed
	KeyFits bool // a signature is valid, and of a domain that is aligned
}

// Signed is the result of one signature.
type Signed struct{ Domain, Selector, Result string }

// Published is a policy record.
type Published struct {
	Domain          string
	P, SP, NP       string
	StrictSPF       bool
	StrictDKIM      bool
	Testing         bool
	Failures        string `json:",omitempty"` // fo
	ReportAddresses string `json:"-"`          // rua, as it is in the record
}

// Evaluations keeps what DMARC found about messages that are in use. Its zero value
// is empty; any number of goroutines may use it.
type Evaluations struct{ known scan.Memo[*Evaluation] }

// Of returns what DMARC found about a message; nil if there is nothing to report.
func (k *Evaluations) Of(ctx context.Context, m *scan.Message) *Evaluation {
	e, _ := k.known.Of(ctx, m, func(context.Context, *scan.Message) (*Evaluation, error) { return nil, nil })
	return e
}

// note keeps an evaluation for as long as the message is in use.
func (k *Evaluations) note(ctx context.Context, m *scan.Message, e *Evaluation) {
	k.known.Of(ctx, m, func(context.Context, *scan.Message) (*Evaluation, error) { return e, nil })
}

// mostSigned bounds the signatures that are reported of a message.
const mostSigned = 20

// evaluated keeps what there is to report: a message that passed or failed, of a domain that
// wants to know. What could not be found out is no fact about it.
func (s *Scanner) evaluated(ctx context.Context, m *scan.Message, d dmarcResult, a arcResult, e evidence) {
	if s.with.Evaluations == nil || d.alignment == nil || d.applied.record.reports == "" || d.result != "pass" && d.result != "fail" {
		return
	}
	if markup.Hostname(d.domain) != d.domain || markup.Hostname(d.applied.domain) != d.applied.domain {
		return // names of no host have no place in the subject of a mail
	}
	v := &Evaluation{
		Client: m.Envelope.Client.Addr().Unmap(), Author: d.domain, Policy: d.applied.published(), Passed: d.result == "pass",
		Asked: d.policy, Softer: d.applied.record.testing, Trusted: a.rule == ruleTrusted,
	}
	if !e.spf.helo {
		v.Sender, v.SPF = markup.Hostname(e.spf.domain), e.spf.result
	}
	v.SPFFits, v.KeyFits = d.alignment.each(e)
	for _, sig := range e.signatures[:min(len(e.signatures), mostSigned)] {
		v.DKIM = append(v.DKIM, Signed{sig.Domain, sig.Selector, string(sig.Result)})
	}
	s.with.Evaluations.note(ctx, m, v)
}

// each reports whether SPF, and whether any signature, confirms the author. What cannot be found out does not.
func (a alignment) each(e evidence) (spf, key bool) {
	if e.spf.result == "pass" {
		spf, _ = a.aligned(e.spf.domain, a.record.strictSPF)
	}
	for _, sig := range e.signatures {
		if sig.Result == dkim.Pass && !key {
			key, _ = a.aligned(sig.Domain, a.record.strictDKIM)
		}
	}
	return spf, key
}

// published returns the record that was applied, with the values that tags have which it
// does not name (RFC 9989, section 4.7).
func (s step) published() Published {
	t := s.record.tags
	or := func(value, other string) string {
		if slices.Contains(policies, value) {
			return value
		}
		return other
	}
	p := Published{Domain: s.domain, P: or(t["p"], "none"), StrictSPF: s.record.strictSPF, StrictDKIM: s.record.strictDKIM,
		Testing: s.record.testing, Failures: t["fo"], ReportAddresses: s.record.reports}
	p.SP = or(t["sp"], p.P)
	p.NP = or(t["np"], p.SP)
	return p
}
