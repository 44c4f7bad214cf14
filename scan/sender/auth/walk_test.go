package auth

import (
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan/scantest"
	"github.com/milterscan/milterscan/scan/sender/dns/dnstest"
)

// The names of RFC 9989, section 4.10, and of domains at the limits.
func TestWalkNames(t *testing.T) {
	for domain, want := range map[string]string{
		"com":                      "com",
		"example.com":              "example.com com",
		"mail.example.com":         "mail.example.com example.com com",
		"a.b.c.d.e.f.example.com":  "a.b.c.d.e.f.example.com b.c.d.e.f.example.com c.d.e.f.example.com d.e.f.example.com e.f.example.com f.example.com example.com com",
		"x.a.b.c.d.e.f.example.it": "x.a.b.c.d.e.f.example.it b.c.d.e.f.example.it c.d.e.f.example.it d.e.f.example.it e.f.example.it f.example.it example.it it",
		"a.b.c.d.e.f.g.h.i.j.mail.example.com": "a.b.c.d.e.f.g.h.i.j.mail.example.com g.h.i.j.mail.example.com h.i.j.mail.example.com i.j.mail.example.com " +
			"j.mail.example.com mail.example.com example.com com",
	} {
		if got := strings.Join(walkNames(domain), " "); got != want {
			t.Errorf("%s: asks about %s, want %s", domain, got, want)
		}
	}
}

// world publishes what the tables below are about.
func world() dnstest.Zone {
	return dnstest.Zone{
		"_dmarc.example.com":             {"TXT v=DMARC1; p=reject; sp=quarantine; np=reject"},
		"news.example.com":               {"192.0.2.7"},
		"deep.news.example.com":          {"192.0.2.7"},
		"_dmarc.example.net":             {"TXT v=DMARC1; p=none"},
		"_dmarc.unit.example.net":        {"TXT v=DMARC1; p=reject; psd=n"},
		"_dmarc.gov.example":             {"TXT v=DMARC1; p=reject; sp=none; np=quarantine; psd=y"},
		"agency.gov.example":             {"192.0.2.8"},
		"_dmarc.own.gov.example":         {"TXT v=DMARC1; p=quarantine"},
		"_dmarc.test.example":            {"TXT v=DMARC1; p=reject; t=y"},
		"_dmarc.soft.example":            {"TXT v=DMARC1; p=quarantine; t=y"},
		"_dmarc.old.example":             {"TXT v=DMARC1; p=reject; pct=0; rf=afrf; ri=86400"},
		"_dmarc.reports.example":         {"TXT v=DMARC1; rua=mailto:x@reports.example"},
		"_dmarc.empty.example":           {"TXT v=DMARC1"},
		"_dmarc.badsub.example":          {"TXT v=DMARC1; p=reject; sp=maybe"},
		"_dmarc.twice.example":           {"TXT v=DMARC1; p=reject; p=none"},
		"_dmarc.a.loop.example":          {"TXT v=DMARC1; p=reject; psd=u"},
		"_dmarc.loop.example":            {"TXT v=DMARC1; p=none; psd=z"},
		"_dmarc.broken.example":          {"TXT v=DMARC1; p=reject"},
		"_dmarc.mail.high.example":       {"TXT v=DMARC1; p=reject"},
		"_dmarc.high.example":            {dnstest.Failing},
		"_dmarc.com.au":                  {"TXT not a policy"},
		"shop.com.au":                    {"192.0.2.9"},
		"_dmarc.news.unit.example.net":   {"TXT unrelated"},
		"_dmarc.below.unit2.example.net": {dnstest.Timeout},
	}
}

func TestOrganization(t *testing.T) {
	for domain, want := range map[string]string{
		"example.com":            "example.com",
		"news.example.com":       "example.com",
		"deep.news.example.com":  "example.com",
		"example.net":            "example.net",
		"unit.example.net":       "unit.example.net", // psd=n
		"news.unit.example.net":  "unit.example.net",
		"agency.gov.example":     "agency.gov.example", // one below psd=y
		"www.agency.gov.example": "agency.gov.example",
		"own.gov.example":        "own.gov.example",
		"gov.example":            "gov.example", // begins at psd=y itself
		"shop.com.au":            "shop.com.au", // no policy anywhere
		"a.loop.example":         "loop.example",
	} {
		w := walkTree(t.Context(), world(), domain)
		if got := w.organization(); got != want || w.err != nil {
			t.Errorf("%s: %s, %v; want %s", domain, got, w.err, want)
		}
	}
}

// Mail that nothing speaks for is judged by the record that the walk finds.
func TestPolicyDiscovery(t *testing.T) {
	for author, want := range map[string]string{
		"example.com":             "dmarc-reject p=reject",
		"news.example.com":        "dmarc-quarantine sp=quarantine of example.com",
		"deep.news.example.com":   "dmarc-quarantine sp=quarantine of example.com",
		"gone.example.com":        "dmarc-reject np=reject of example.com",
		"unit.example.net":        "dmarc-reject p=reject",
		"x.unit.example.net":      "dmarc-reject p=reject of unit.example.net",
		"x.example.net":           "dmarc-fail p=none of example.net",
		"agency.gov.example":      "dmarc-fail sp=none of gov.example",
		"none.gov.example":        "dmarc-quarantine np=quarantine of gov.example",
		"own.gov.example":         "dmarc-quarantine p=quarantine",
		"x.own.gov.example":       "dmarc-quarantine p=quarantine of own.gov.example",
		"gov.example":             "dmarc-reject p=reject",
		"test.example":            "dmarc-quarantine p=reject t=y",
		"soft.example":            "dmarc-fail p=quarantine t=y",
		"old.example":             "dmarc-reject p=reject",
		"reports.example":         "dmarc-fail p=none",
		"empty.example":           "dmarc-fail p=none",
		"badsub.example":          "dmarc-permerror the DMARC policy cannot be used: sp=\"maybe\"",
		"twice.example":           "dmarc-reject p=reject",
		"shop.com.au":             "dmarc-none no DMARC policy",
		"mail.high.example":       "dmarc-temperror p=reject", // the organisation of the signer is not known
		"x.high.example":          "dmarc-temperror",
		"below.unit2.example.net": "dmarc-temperror",
	} {
		z := world()
		other := newSigner(t, z, "other.high.example")
		mail := other.sign(t, strings.Replace(letter, "joe@example.org", "joe@"+author, 1))
		m := scantest.Message(mail)
		m.Envelope = envelope("192.0.2.2", "mx.elsewhere.example", "x@elsewhere.example")
		found, _ := scanner(Config{DMARC: true}, z).Scan(t.Context(), m)
		if len(found) != 1 {
			t.Errorf("%s: %+v", author, found)
			continue
		}
		if got := strings.TrimPrefix(found[0].Rule, "auth/") + " " + strings.TrimPrefix(found[0].Detail, author+": "); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", author, got, want)
		}
	}
}

// A signature speaks for the author if both belong to one organisation, whatever
// a list of public suffixes says.
func TestAlignment(t *testing.T) {
	for _, test := range []struct{ author, signer, want string }{
		{"example.com", "news.example.com", "dmarc-pass"},
		{"deep.news.example.com", "example.com", "dmarc-pass"},
		{"news.example.com", "gone.example.com", "dmarc-pass"},
		{"example.com", "example.net", "dmarc-reject"},
		{"example.com", "badexample.com", "dmarc-reject"},
		{"example.net", "unit.example.net", "dmarc-fail"}, // psd=n parts them
		{"unit.example.net", "example.net", "dmarc-reject"},
		{"unit.example.net", "x.unit.example.net", "dmarc-pass"},
		{"agency.gov.example", "own.gov.example", "dmarc-fail"}, // psd=y parts them
		{"agency.gov.example", "gov.example", "dmarc-fail"},
		{"agency.gov.example", "www.agency.gov.example", "dmarc-pass"},
	} {
		z := world()
		m := scantest.Message(newSigner(t, z, test.signer).sign(t, strings.Replace(letter, "joe@example.org", "joe@"+test.author, 1)))
		m.Envelope = envelope("192.0.2.2", "mx.elsewhere.example", "x@elsewhere.example")
		found, err := scanner(Config{DMARC: true}, z).Scan(t.Context(), m)
		if got := rules(found); got != test.want || err != nil {
			t.Errorf("%s signed by %s: %s, %v; want %s", test.author, test.signer, got, err, test.want)
		}
	}
}

// However deep the names are, a walk is eight questions.
func TestWalkAsksLittle(t *testing.T) {
	deep := strings.Repeat("a.", 100) + "example.com"
	asked := &dnstest.Recorder{Resolver: world()}
	walkTree(t.Context(), asked, deep)
	if n := len(asked.Asked()); n != 8 {
		t.Errorf("%d questions: %v", n, asked.Asked())
	}
	m := scantest.Message(strings.Replace(letter, "joe@example.org", "joe@"+deep, 1))
	m.Envelope = envelope("192.0.2.2", "mx.elsewhere.example", "x@elsewhere.example")
	asked = &dnstest.Recorder{Resolver: world()}
	scanner(Config{DMARC: true}, asked).Scan(t.Context(), m)
	if n := len(asked.Asked()); n > 12 {
		t.Errorf("%d questions for a mail", n)
	}
}

// FuzzRecords: whatever domains publish, an organisation is the domain or above it, and a policy is one
// of those that there are.
func FuzzRecords(f *testing.F) {
	f.Add("a.b.example.org", "v=DMARC1; p=reject", "v=DMARC1;psd=y;sp=none")
	f.Add("example.org", "v=DMARC1; p=none; p=reject; T = Y", "v=DMARC1; np=reject; psd=n")
	f.Add("org", "v = DMARC1;=;;p=;rua=mailto:a@b", "")
	f.Fuzz(func(t *testing.T, domain, own, above string) {
		if domain = ascii(domain); domain == "" {
			return
		}
		_, parent, _ := strings.Cut(domain, ".")
		w := walkTree(t.Context(), dnstest.Zone{"_dmarc." + domain: {"TXT " + own}, "_dmarc." + parent: {"TXT " + above}}, domain)
		if org := w.organization(); org != domain && !strings.HasSuffix(domain, "."+org) {
			t.Errorf("the organisation of %q is %q", domain, org)
		}
		s, ok := w.policy()
		if !ok {
			return
		}
		if tag, asked, err := s.request(t.Context(), dnstest.Zone{}, domain); err == nil && !slices.Contains(policies, asked) {
			t.Errorf("%q asks for %q by %q", domain, asked, tag)
		}
	})
}
