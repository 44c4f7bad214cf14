package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/sender/dkim"
	"github.com/milterscan/milterscan/scan/sender/dns"
	"github.com/milterscan/milterscan/scan/sender/origin"
)

// dmarcResult is the result of DMARC for a message.
type dmarcResult struct {
	result  string // pass, fail, none, temperror, permerror: as Authentication-Results calls it
	policy  string // what the domain asks for: none, quarantine, reject
	domain  string // of the author; "" if there is none, or more than one
	applied step   // whose record was applied, and which; zero if none was
	why     string
	two     bool // there is more than one author

	alignment *alignment // with which the author was compared; nil if there was nothing to go by
}

// rule returns the finding for the result.
func (r dmarcResult) rule() rule {
	if r.result == "fail" && r.policy != "none" {
		return rule("dmarc-" + r.policy)
	}
	return rule("dmarc-" + r.result)
}

// evidence holds the results of SPF and DKIM for a message.
type evidence struct {
	spf        spfResult
	signatures []dkim.Signature
	unknown    error // the signatures could not be looked at
}

// checkDMARC looks for evidence that fits the author (RFC 9989, section 5.3).
func checkDMARC(ctx context.Context, r dns.Resolver, h entity.Header, e evidence) dmarcResult {
	author, err := origin.Author(h)
	if err != nil {
		return dmarcResult{result: "permerror", why: err.Error(), two: errors.Is(err, origin.ErrTwoAuthors)}
	}
	author = ascii(author)
	w := walkTree(ctx, r, author)
	applied, ok := w.policy()
	res := dmarcResult{domain: author, applied: applied}
	own := ok && applied.domain == author // nothing above can replace it
	switch {
	case !own && errors.Is(w.err, dns.ErrBudget):
		res.result, res.why = "permerror", w.err.Error()
	case !own && w.err != nil:
		res.result, res.why = "temperror", w.err.Error()
	case !ok:
		res.result, res.why = "none", errNoPolicy.Error()
	default:
		res.judge(ctx, r, w, e)
	}
	return res
}

// ascii returns the domain with its A-labels that clients may show for one of an
// author: that before a slash, of "example.org/.example.net".
func ascii(domain string) string { return markup.ParseURL("//" + domain).Host }

// judge fills in the result under the policy that applies.
func (d *dmarcResult) judge(ctx context.Context, r dns.Resolver, w walk, e evidence) {
	tag, asked, err := d.applied.request(ctx, r, w.domain)
	switch {
	case errors.Is(err, errBadPolicy):
		d.result, d.why = "permerror", err.Error()
		return
	case err != nil:
		d.result, d.why = "temperror", err.Error()
		return
	}
	d.policy = asked
	d.alignment = &alignment{ctx, r, w, d.applied.record}
	d.result = d.alignment.judge(e)
	d.why = fmt.Sprintf("%s=%s", tag, asked)
	if d.applied.record.testing {
		d.policy = softer(asked)
		d.why += " t=y"
	}
	if d.applied.domain != w.domain {
		d.why += " of " + d.applied.domain
	}
}

// softer returns what a policy in test mode asks for (RFC 9989, section 4.7).
func softer(policy string) string {
	if policy == "reject" {
		return "quarantine"
	}
	return "none"
}

// alignment compares domains that were proved with the author's.
type alignment struct {
	ctx      context.Context
	resolver dns.Resolver
	author   walk
	record   record
}

// judge returns the result of the evidence: pass, fail or temperror.
func (a alignment) judge(e evidence) string {
	unknown := e.unknown != nil || e.spf.result == "temperror"
	if e.spf.result == "pass" {
		ok, err := a.aligned(e.spf.domain, a.record.strictSPF)
		if ok {
			return "pass"
		}
		unknown = unknown || err != nil
	}
	for _, s := range e.signatures {
		if !s.Valid() && s.Result != dkim.TempError {
			continue
		}
		ok, err := a.aligned(s.Domain, a.record.strictDKIM)
		if ok && s.Valid() {
			return "pass"
		}
		unknown = unknown || ok || err != nil
	}
	if unknown {
		return "temperror"
	}
	return "fail"
}

// aligned reports whether a domain that was proved is the author's or, if the
// policy is relaxed, of the same organisation (RFC 9989, section 4.4). It walks
// the tree only for a domain below the author's organisation: no other one can
// belong to it.
func (a alignment) aligned(proved string, strict bool) (bool, error) {
	proved = markup.Hostname(proved)
	if proved == a.author.domain || strict || proved == "" {
		return proved == a.author.domain, nil
	}
	if a.author.err != nil {
		return false, a.author.err
	}
	org := a.author.organization()
	if proved != org && !strings.HasSuffix(proved, "."+org) {
		return false, nil
	}
	w := walkTree(a.ctx, a.resolver, proved)
	if w.err != nil {
		return false, w.err
	}
	return w.organization() == org, nil
}

// Why there is no policy to go by.
var (
	errNoPolicy  = errors.New("no DMARC policy")
	errBadPolicy = errors.New("the DMARC policy cannot be used")
)

// record is a DMARC policy record, as far as it concerns receivers.
type record struct {
	tags                  map[string]string
	psd                   string // "y", "n", or "" for neither
	testing               bool
	strictSPF, strictDKIM bool
	reports               string // rua, as it is written: addresses are not all of one case
}

// recordAt returns the one policy record of a domain. More than one is none.
func recordAt(ctx context.Context, r dns.Resolver, domain string) (record, bool, error) {
	texts, err := dns.Texts(ctx, r, "_dmarc."+domain)
	if err != nil && !dns.NotFound(err) {
		return record{}, false, err
	}
	var policies []string
	for _, t := range texts {
		if version, _, _ := strings.Cut(t, ";"); strings.Join(strings.Fields(version), "") == "v=DMARC1" {
			policies = append(policies, t)
		}
	}
	if len(policies) != 1 {
		return record{}, false, nil
	}
	return parseRecord(policies[0]), true, nil
}

// parseRecord reads a record (RFC 9989, section 4.7). Tags it does not know mean
// nothing, among them pct, rf and ri of RFC 7489.
func parseRecord(text string) record {
	tags, reports := map[string]string{}, ""
	for pair := range strings.SplitSeq(text, ";") {
		key, value, _ := strings.Cut(pair, "=")
		key = strings.ToLower(strings.TrimSpace(key))
		if _, twice := tags[key]; twice {
			continue
		}
		tags[key] = strings.ToLower(strings.TrimSpace(value))
		if key == "rua" {
			reports = strings.TrimSpace(value)
		}
	}
	rec := record{tags: tags, reports: reports, testing: tags["t"] == "y", strictSPF: tags["aspf"] == "s", strictDKIM: tags["adkim"] == "s"}
	if psd := tags["psd"]; psd == "y" || psd == "n" {
		rec.psd = psd
	}
	return rec
}

// policies are what a domain may ask for.
var policies = []string{"none", "quarantine", "reject"}

// request returns what the record asks for mail of a domain, and by which tag: p
// for the record's own, sp for one below it, np for one below it that does not
// exist. A record without p asks for nothing, and so does one with a policy that
// is none if it asks for reports (RFC 9989, section 4.7).
func (s step) request(ctx context.Context, r dns.Resolver, domain string) (tag, asked string, err error) {
	for _, t := range []string{"p", "sp", "np"} {
		if value, ok := s.record.tags[t]; ok && !slices.Contains(policies, value) {
			if strings.Contains(s.record.tags["rua"], ":") {
				return "p", "none", nil
			}
			return "", "", fmt.Errorf("%w: %s=%q", errBadPolicy, t, value)
		}
	}
	tag = "p"
	if s.domain != domain {
		if tag, err = s.inherited(ctx, r, domain); err != nil {
			return "", "", err
		}
	}
	if asked = s.record.tags[tag]; asked == "" {
		asked = "none"
	}
	return tag, asked, nil
}

// inherited returns the tag of the record that concerns a domain below its own.
func (s step) inherited(ctx context.Context, r dns.Resolver, domain string) (tag string, err error) {
	if s.record.tags["np"] != "" {
		exists, err := existing(ctx, r, domain)
		if err != nil {
			return "", err
		}
		if !exists {
			return "np", nil
		}
	}
	if s.record.tags["sp"] != "" {
		return "sp", nil
	}
	return "p", nil
}

// existing reports whether a domain exists: the answer to a question about it is
// not that there is no such name (RFC 8020).
func existing(ctx context.Context, r dns.Resolver, domain string) (bool, error) {
	_, err := r.Lookup(ctx, domain, dns.A)
	if err != nil && !dns.NotFound(err) {
		return false, err
	}
	return err == nil, nil
}
