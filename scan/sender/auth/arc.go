package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/sender/arc"
	"github.com/milterscan/milterscan/scan/sender/dns"
	"github.com/milterscan/milterscan/scan/sender/origin"
)

// arcResult is what the hosts that passed a message on say about it. It is zero if
// they were not asked.
type arcResult struct {
	result string // pass or fail, as Authentication-Results calls it; "" if no signature was verified
	rule   rule   // of the finding; "" if there is none
	why    string
}

// sealers are the domains whose seals are believed; ".example.org" for all domains
// below it.
type sealers []string

// trusts reports whether both domains that signed a set are believed.
func (s sealers) trusts(set arc.Set) bool { return s.has(set.Sealer) && s.has(set.Signer) }

func (s sealers) has(domain string) bool {
	domain = markup.Hostname(domain)
	return domain != "" && slices.ContainsFunc(s, func(entry string) bool {
		if above, ok := strings.CutPrefix(strings.ToLower(entry), "."); ok {
			above = ascii(above)
			return domain != above && markup.Below(domain, above)
		}
		return domain == ascii(entry)
	})
}

// checkARC asks whether hosts that are believed had the message when DMARC still
// passed (RFC 8617, section 7.2.1). It verifies nothing, and puts no question, where
// that cannot matter: DMARC has not failed, or the domain of the newest seal is not
// believed.
func (s *Scanner) checkARC(ctx context.Context, r dns.Resolver, m *scan.Message, d dmarcResult) (arcResult, error) {
	trusted := sealers(s.config.ARCTrusted)
	if d.result != "fail" || len(trusted) == 0 {
		return arcResult{}, nil
	}
	chain, err := arc.Read(m)
	switch {
	case err != nil:
		return arcResult{}, err
	case chain.Fault() != nil:
		return arcResult{"", "arc-fail", chain.Fault().Error()}, nil
	case len(chain.Sets) == 0:
		return arcResult{}, nil
	}
	if newest := chain.Newest(); !trusted.trusts(newest) {
		return arcResult{"", "arc-untrusted", "sealed by " + by(newest)}, nil
	}
	switch err := chain.Verify(ctx, m, r); {
	case errors.Is(err, arc.ErrFail):
		return arcResult{"fail", "arc-fail", err.Error()}, nil
	case errors.Is(err, arc.ErrTemporary):
		return arcResult{"fail", "arc-temperror", err.Error()}, nil
	case err != nil:
		return arcResult{}, err
	}
	return confirmed(chain, trusted, d), nil
}

// by names who sealed a set.
func by(set arc.Set) string {
	if set.Sealer == set.Signer {
		return fmt.Sprintf("%s (i=%d)", set.Sealer, set.Instance)
	}
	return fmt.Sprintf("%s and %s (i=%d)", set.Sealer, set.Signer, set.Instance)
}

// confirmed returns the result of a valid chain. From the newest set on, each one is believed as
// long as its sealer is: it answers for its own results, and for having got the older sets as they
// are. A set of another sealer, and all older ones, count for nothing: any sender can begin a chain
// with false sets, and have a list pass it on.
func confirmed(chain arc.Chain, trusted sealers, d dmarcResult) arcResult {
	for _, set := range slices.Backward(chain.Sets) {
		if !trusted.trusts(set) {
			break
		}
		if how := d.provedBy(arc.ParseResults(set.Results)); how != "" {
			return arcResult{"pass", "arc-trusted", fmt.Sprintf("%s: %s says %s; %s", d.domain, by(set), how, d.why)}
		}
	}
	return arcResult{"pass", "arc-pass", "sealed by " + by(chain.Newest())}
}

// provedBy returns by what the results of another site confirm the author: DMARC,
// or, if that site did not check it, SPF or DKIM for an aligned domain. It is "" if nothing does.
func (d dmarcResult) provedBy(results []arc.Result) string {
	checked, passed := false, false
	for _, r := range results {
		if r.Method == "dmarc" && ascii(r.Properties["header.from"]) == d.domain {
			passed = r.Value == "pass" && (passed || !checked)
			checked = true
		}
	}
	switch {
	case passed:
		return "dmarc=pass"
	case checked:
		return ""
	}
	for _, r := range results {
		if domain, strict := proved(r, d.applied.record); r.Value == "pass" && domain != "" && d.alignment != nil {
			if ok, err := d.alignment.aligned(domain, strict); ok && err == nil {
				return r.Method + "=pass for " + domain
			}
		}
	}
	return ""
}

// proved returns the domain that a result is about, and whether it has to be the
// author's own.
func proved(r arc.Result, rec record) (domain string, strict bool) {
	switch r.Method {
	case "spf":
		from := r.Properties["smtp.mailfrom"]
		if strings.Contains(from, "@") {
			from = origin.Domain(from)
		}
		return from, rec.strictSPF
	case "dkim":
		if d := r.Properties["header.d"]; d != "" {
			return d, rec.strictDKIM
		}
		return origin.Domain(r.Properties["header.i"]), rec.strictDKIM
	}
	return "", false
}
