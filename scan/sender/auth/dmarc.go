package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/sender/dkim"
	"github.com/milterscan/milterscan/scan/sender/dns"
	"github.com/milterscan/milterscan/scan/sender/origin"
)

// dmarcResult is what DMARC says about a message.
type dmarcResult struct {
	result string // pass, fail, none, temperror, permerror: as Authentication-Results calls it
	policy string // with fail: what the domain asks for
	domain string // of the author; "" if there is none, or more than one
	why    string
	two    bool // there is more than one
}

// rule is the finding for the result.
func (r dmarcResult) rule() rule {
	if r.result == "fail" && r.policy != "none" {
		return rule("dmarc-" + r.policy)
	}
	return rule("dmarc-" + r.result)
}

// evidence is what speaks for a message.
type evidence struct {
	spf        spfResult
	signatures []dkim.Signature
	unknown    error // the signatures could not be looked at
}

// checkDMARC looks for evidence that fits the author (RFC 7489, section 6.6).
func checkDMARC(ctx context.Context, r dns.Resolver, h entity.Header, e evidence) dmarcResult {
	domain, err := origin.Author(h)
	if err != nil {
		return dmarcResult{result: "permerror", why: err.Error(), two: errors.Is(err, origin.ErrTwoAuthors)}
	}
	domain = ascii(domain)
	res := dmarcResult{domain: domain}
	rec, err := policyOf(ctx, r, domain)
	switch {
	case errors.Is(err, errNoPolicy):
		res.result = "none"
	case err != nil && (errors.Is(err, errBadPolicy) || errors.Is(err, dns.ErrBudget)):
		res.result, res.why = "permerror", err.Error()
	case err != nil:
		res.result, res.why = "temperror", err.Error()
	default:
		res.result, res.policy = rec.judge(domain, e), rec.policy
		res.why = fmt.Sprintf("p=%s", rec.policy)
	}
	return res
}

// ascii is a domain with its A-labels.
func ascii(domain string) string { return markup.ParseURL("//" + domain).Host }

// judge is the result for an author under a policy.
func (p record) judge(author string, e evidence) string {
	unknown := e.unknown != nil || e.spf.result == "temperror"
	if e.spf.result == "pass" && aligned(e.spf.domain, author, p.strictSPF) {
		return "pass"
	}
	for _, s := range e.signatures {
		if s.Valid() && aligned(s.Domain, author, p.strictDKIM) {
			return "pass"
		}
		unknown = unknown || s.Result == dkim.TempError && aligned(s.Domain, author, p.strictDKIM)
	}
	if unknown {
		return "temperror"
	}
	return "fail"
}

// aligned compares a domain that was proved with the author's (RFC 7489, section
// 3.1): relaxed, they must belong to the same organisation.
func aligned(proved, author string, strict bool) bool {
	proved = ascii(proved)
	if strict || proved == author {
		return proved == author
	}
	return proved != "" && markup.Registrable(proved) == markup.Registrable(author)
}

// Why there is no policy to go by.
var (
	errNoPolicy  = errors.New("no DMARC policy")
	errBadPolicy = errors.New("the DMARC policy cannot be used")
)

// record is a DMARC policy record, as far as it concerns receivers.
type record struct {
	policy                string // none, quarantine, reject: for the domain that was asked about
	strictSPF, strictDKIM bool
}

// policyOf finds the policy for a domain: its own, or else that of its
// organisation for subdomains (RFC 7489, section 6.6.3).
func policyOf(ctx context.Context, r dns.Resolver, domain string) (record, error) {
	text, err := policyText(ctx, r, domain)
	org := markup.Registrable(domain)
	if !errors.Is(err, errNoPolicy) || org == domain {
		return parsePolicy(text, "p", err)
	}
	text, err = policyText(ctx, r, org)
	return parsePolicy(text, "sp", err)
}

// policyText is the one policy record of a domain. More than one is none.
func policyText(ctx context.Context, r dns.Resolver, domain string) (string, error) {
	texts, err := dns.Texts(ctx, r, "_dmarc."+domain)
	if err != nil && !dns.NotFound(err) {
		return "", err
	}
	var policies []string
	for _, t := range texts {
		if version, _, _ := strings.Cut(t, ";"); strings.ReplaceAll(version, " ", "") == "v=DMARC1" {
			policies = append(policies, t)
		}
	}
	if len(policies) != 1 {
		return "", errNoPolicy
	}
	return policies[0], nil
}

// parsePolicy reads a record (RFC 7489, section 6.3). tag is "sp" if it is that
// of the organisation. A record with an unusable policy that asks for reports
// counts as one that asks for nothing else (section 6.6.3).
func parsePolicy(text, tag string, err error) (record, error) {
	if err != nil {
		return record{}, err
	}
	tags := map[string]string{}
	for pair := range strings.SplitSeq(text, ";") {
		key, value, _ := strings.Cut(pair, "=")
		tags[strings.ToLower(strings.TrimSpace(key))] = strings.ToLower(strings.TrimSpace(value))
	}
	p := record{policy: tags["p"], strictSPF: tags["aspf"] == "s", strictDKIM: tags["adkim"] == "s"}
	if sp, ok := tags["sp"]; ok && tag == "sp" {
		p.policy = sp
	}
	switch {
	case p.policy == "none", tags["pct"] == "0":
		p.policy = "none"
	case p.policy == "quarantine", p.policy == "reject":
	case tags["rua"] != "":
		p.policy = "none"
	default:
		return p, fmt.Errorf("%w: p=%q", errBadPolicy, p.policy)
	}
	return p, nil
}
