package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/contents/attachment"
	"github.com/milterscan/milterscan/scan/contents/content"
	"github.com/milterscan/milterscan/scan/contents/document"
	"github.com/milterscan/milterscan/scan/contents/listed"
	"github.com/milterscan/milterscan/scan/contents/virus"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/open/unpack"
	"github.com/milterscan/milterscan/scan/sender/auth"
	"github.com/milterscan/milterscan/scan/sender/bounce"
	"github.com/milterscan/milterscan/scan/sender/contact"
	"github.com/milterscan/milterscan/scan/sender/dnslist"
	"github.com/milterscan/milterscan/scan/sender/greylist"
	"github.com/milterscan/milterscan/scan/sender/network"
	"github.com/milterscan/milterscan/scan/sender/rate"
	"github.com/milterscan/milterscan/scan/sender/relay"
)

// announced are conditions on findings that no scanner makes yet. Whoever makes
// them takes them off this list.
var announced = []string{}

// catalogue is everything the scanners can find.
func catalogue() []scan.Rule {
	return slices.Concat(attachment.Catalogue(), document.Catalogue(), content.Catalogue(), virus.Catalogue(), unpack.Catalogue(), dnslist.Catalogue(), auth.Catalogue(), relay.Catalogue(), contact.Catalogue(), greylist.Catalogue(), bounce.Catalogue(), rate.Catalogue(), judge.Catalogue(),
		listed.Catalogue(), network.Catalogue())
}

func TestConditionsOfProfilesCanHold(t *testing.T) {
	waiting := map[policy.Condition]bool{}
	for _, name := range announced {
		c := policy.Named(name)
		waiting[c] = true
		if c.CanMatch(catalogue()) {
			t.Errorf("%s is found by now; take it off the list", name)
		}
	}
	for _, profile := range policy.Profiles() {
		rules, err := policy.Profile(profile)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rules {
			for _, c := range append(r.Grounds.When, r.Grounds.Requires...) {
				if !waiting[c] && !c.CanMatch(catalogue()) {
					t.Errorf("%s: nothing can find %s", r.Ref.Name, c)
				}
			}
		}
	}
}

// decide says what a profile makes of one finding in mail from elsewhere.
func decide(t *testing.T, profile string, f scan.Finding) policy.Decision {
	t.Helper()
	rules, err := policy.Profile(profile)
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.New(rules, policy.Local{})
	if err != nil {
		t.Fatal(err)
	}
	return p.Decide(policy.Input{Stage: scan.StageMessage, Found: []scan.Finding{f}})
}

// optional reports a check that asks others: their silence stops no mail.
func optional(rule string) bool {
	return strings.HasPrefix(rule, "auth/") || strings.HasPrefix(rule, "spam/") || strings.HasPrefix(rule, "feed/") || rule == "relay/failed" || rule == "greylist/failed" || rule == "bounce/failed" || rule == "rate/failed" || rule == "people/lists" || rule == "content/names-unknown" || rule == "content/failed/contact"
}

// TestEveryFindingHasAnAnswer checks that no finding passes a profile unseen,
// and that the answer fits its kind.
func TestEveryFindingHasAnAnswer(t *testing.T) {
	for _, profile := range policy.Profiles() {
		for _, r := range catalogue() {
			d := decide(t, profile, scan.Finding{Kind: r.Kind, Rule: r.Name, Part: scan.WholeMessage})
			v := d.Verdicts[0]
			switch {
			case v.Because != 0:
				t.Errorf("%s: no rule is for %s", profile, r.Name)
			case r.Kind == scan.Infected && d.Answer < policy.Discard:
				t.Errorf("%s: %s gives %v", profile, r.Name, d.Answer)
			case r.Kind == scan.Failed && optional(r.Name) && (d.Answer != policy.Deliver || len(d.Headers) > 0):
				t.Errorf("%s: %s gives %v with headers %v, and nobody asked for it", profile, r.Name, d.Answer, d.Headers)
			case r.Kind == scan.Failed && optional(r.Name):
			case r.Kind == scan.Failed && d.Answer != policy.Tempfail:
				t.Errorf("%s: %s gives %v", profile, r.Name, d.Answer)
			case r.Kind != scan.Failed && d.Answer == policy.Tempfail:
				t.Errorf("%s: %s gives %v, and trying again never helps", profile, r.Name, d.Answer)
			case r.Kind <= scan.Malformed && (d.Answer != policy.Deliver || len(d.Headers) > 0):
				t.Errorf("%s: %s gives %v with headers %v", profile, r.Name, d.Answer, d.Headers)
			case r.Kind > scan.Malformed && d.Answer == policy.Deliver && len(d.Headers) == 0 && profile != policy.ProfileHosting:
				t.Errorf("%s: %s passes without a mark", profile, r.Name)
			}
		}
	}
}

// TestLimitsAreRefused checks that every limit that hostile mail can reach is
// refused by default, also one that is new.
func TestLimitsAreRefused(t *testing.T) {
	limits := map[string]bool{}
	for _, c := range archive.Codes() {
		// Encrypted documents are business mail: they pass, marked.
		limits["archive/"+c.Code] = c.Class == archive.Exceeded || c.Class == archive.Encrypted && c.Code != "encrypted-document"
	}
	for _, c := range entity.Codes() {
		limits["mime/"+c.Code] = c.Class == entity.Exceeded && c.Code != "carved-limit" // patches and digests may hold any number
	}
	for name, limit := range limits {
		if !limit {
			continue
		}
		for _, profile := range []string{policy.ProfileDefault, policy.ProfileStrict} {
			if d := decide(t, profile, scan.Finding{Kind: scan.Unscannable, Rule: name, Part: scan.WholeMessage}); d.Answer != policy.Reject {
				t.Errorf("%s: %s gives %v", profile, name, d.Answer)
			}
		}
	}
}

func TestDefaultHidesNothing(t *testing.T) {
	for _, profile := range []string{policy.ProfileDefault, policy.ProfileTagOnly, policy.ProfileStrict} {
		for _, r := range catalogue() {
			d := decide(t, profile, scan.Finding{Kind: r.Kind, Rule: r.Name, Part: scan.WholeMessage})
			if d.Answer == policy.Discard || d.Answer == policy.Hold || d.Keep {
				t.Errorf("%s: %s gives %s", profile, r.Name, d.Action())
			}
		}
	}
}
