package auth

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"net/netip"
	"slices"
	"strings"
	"testing"

	msgauth "github.com/emersion/go-msgauth/dkim"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/scantest"
	"github.com/milterscan/milterscan/scan/sender/dkim"
	"github.com/milterscan/milterscan/scan/sender/dns"
	"github.com/milterscan/milterscan/scan/sender/dns/dnstest"
)

// zone is the world of these tests.
func zone() dnstest.Zone {
	return dnstest.Zone{
		"example.org":              {"TXT unrelated", "TXT v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all"},
		"soft.example":             {"TXT v=spf1 ip4:192.0.2.1 ~all"},
		"neutral.example":          {"TXT v=spf1 ?all"},
		"none.example":             {"TXT hello"},
		"two.example":              {"TXT v=spf1 -all", "TXT v=spf1 +all"},
		"broken.example":           {"TXT v=spf1 ip4:nonsense -all"},
		"down.example":             {dnstest.Failing},
		"slow.example":             {dnstest.Timeout},
		"mx.example":               {"TXT v=spf1 mx -all", "MX 10 mail.mx.example"},
		"mail.mx.example":          {"192.0.2.1", "2001:db8::1", "TXT v=spf1 a -all"},
		"macro.example":            {"TXT v=spf1 exists:%{ir}.%{l}.ok.example -all"},
		"1.2.0.192.joe.ok.example": {"127.0.0.2"},
		"loop.example":             {"TXT v=spf1 include:loop.example -all"},
		"many.example":             {"TXT v=spf1 " + strings.Repeat("include:many.example ", 10_000) + "-all"},
		"partly.example":           {"TXT v=spf1 include:down.example -all"},
	}
}

func envelope(client, helo, sender string) scan.Envelope {
	return scan.Envelope{Client: netip.AddrPortFrom(netip.MustParseAddr(client), 25), Helo: helo, Sender: sender, Recipients: []string{"a@example.com"}}
}

func scanner(c Config, r dns.Resolver) *Scanner {
	if c.Signatures == 0 {
		c.Signatures = 10
	}
	if c.ID == "" {
		c.ID = "mx.example.com"
	}
	return New(c, With{
		Resolver:   r,
		Questions:  100,
		Trusted:    func(e scan.Envelope) bool { return e.AuthUser != "" },
		Signatures: dkim.New(r, c.Signatures),
	})
}

func TestSPF(t *testing.T) {
	for _, test := range []struct{ client, sender, want string }{
		{"192.0.2.1", "joe@example.org", "pass"},
		{"192.0.2.1", "joe@EXAMPLE.ORG.", "pass"},
		{"2001:db8::1", "joe@example.org", "pass"},
		{"192.0.2.2", "joe@example.org", "fail"},
		{"192.0.2.2", `"joe@good.example"@example.org`, "fail"},
		{"192.0.2.2", "joe@soft.example", "softfail"},
		{"192.0.2.2", "joe@neutral.example", "neutral"},
		{"192.0.2.2", "joe@none.example", "none"},
		{"192.0.2.2", "joe@nowhere.example", "none"},
		{"192.0.2.2", "joe", "none"},
		{"192.0.2.2", "joe@[192.0.2.2]", "none"},
		{"192.0.2.2", "joe@two.example", "permerror"},
		{"192.0.2.2", "joe@broken.example", "permerror"},
		{"192.0.2.2", "joe@down.example", "temperror"},
		{"192.0.2.2", "joe@slow.example", "temperror"},
		{"192.0.2.2", "joe@partly.example", "temperror"},
		{"192.0.2.1", "joe@mx.example", "pass"},
		{"2001:db8::1", "joe@mx.example", "pass"},
		{"192.0.2.2", "joe@mx.example", "fail"},
		{"192.0.2.1", "joe@macro.example", "pass"},
		{"192.0.2.1", "jim@macro.example", "fail"},
		{"192.0.2.1", "joe@loop.example", "permerror"},
		{"192.0.2.1", "joe@many.example", "permerror"},
		{"192.0.2.1", "", "pass"}, // by HELO
		{"192.0.2.2", "", "fail"},
	} {
		s := scanner(Config{SPF: true}, zone())
		found, err := s.ScanEnvelope(t.Context(), scan.StageMail, envelope(test.client, "mail.mx.example", test.sender))
		if err != nil || len(found) != 1 || found[0].Rule != "auth/spf-"+test.want {
			t.Errorf("%s for <%s>: %+v, %v; want %s", test.client, test.sender, found, err, test.want)
		}
	}
}

func TestSPFAsksLittle(t *testing.T) {
	for _, sender := range []string{"joe@many.example", "joe@loop.example"} {
		asked := &dnstest.Recorder{Resolver: zone()}
		scanner(Config{SPF: true}, asked).ScanEnvelope(t.Context(), scan.StageMail, envelope("192.0.2.1", "x.example", sender))
		if n := len(asked.Asked()); n > 12 {
			t.Errorf("%s: %d questions", sender, n)
		}
	}
}

// signer signs as a domain, with a key that it publishes in a zone.
type signer struct {
	options msgauth.SignOptions
}

func newSigner(t *testing.T, z dnstest.Zone, domain string) signer {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	z["sel._domainkey."+domain] = []string{"TXT v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)}
	return signer{msgauth.SignOptions{Domain: domain, Selector: "sel", Signer: private}}
}

func (s signer) sign(t *testing.T, mail string) string {
	t.Helper()
	var out bytes.Buffer
	if err := msgauth.Sign(&out, strings.NewReader(mail), &s.options); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

const letter = "From: Joe <joe@example.org>\r\nTo: a@example.com\r\nSubject: hello\r\nDate: now\r\n\r\nhello\r\n"

func TestDMARC(t *testing.T) {
	z := zone()
	z["_dmarc.example.org"] = []string{"TXT v=DMARC1; p=reject; sp=quarantine"}
	z["_dmarc.strict.example"] = []string{"TXT v=DMARC1;p=quarantine;adkim=s;aspf=s"}
	z["_dmarc.none.example"] = []string{"TXT v=DMARC1; p=none"}
	z["_dmarc.odd.example"] = []string{"TXT v=DMARC1; p=perhaps"}
	z["_dmarc.reports.example"] = []string{"TXT v=DMARC1; p=perhaps; rua=mailto:x@reports.example"}
	z["_dmarc.two.example"] = []string{"TXT v=DMARC1; p=reject", "TXT v=DMARC1; p=none"}
	z["_dmarc.down.example"] = []string{dnstest.Failing}
	org, sub, other, strict := newSigner(t, z, "example.org"), newSigner(t, z, "mail.example.org"), newSigner(t, z, "other.example"), newSigner(t, z, "mail.strict.example")
	gone := newSigner(t, z, "gone.example.org")
	z["sel._domainkey.gone.example.org"] = []string{dnstest.Timeout}
	as := func(author string) string { return strings.Replace(letter, "joe@example.org", author, 1) }
	for _, test := range []struct {
		name, client, sender, mail, want string
	}{
		{"SPF aligned", "192.0.2.1", "joe@example.org", letter, "dmarc-pass"},
		{"SPF of another domain", "192.0.2.1", "joe@soft.example", letter, "dmarc-reject"},
		{"SPF fails", "192.0.2.2", "joe@example.org", letter, "dmarc-reject"},
		{"DKIM aligned", "192.0.2.2", "x@list.example", org.sign(t, letter), "dmarc-pass"},
		{"DKIM of a subdomain", "192.0.2.2", "x@list.example", sub.sign(t, letter), "dmarc-pass"},
		{"DKIM of another domain", "192.0.2.2", "x@list.example", other.sign(t, letter), "dmarc-reject"},
		{"one signature of two", "192.0.2.2", "x@list.example", other.sign(t, org.sign(t, letter)), "dmarc-pass"},
		{"altered", "192.0.2.2", "x@list.example", org.sign(t, letter) + "more\r\n", "dmarc-reject"},
		{"key not to be had", "192.0.2.2", "x@list.example", gone.sign(t, letter), "dmarc-temperror"},
		{"subdomain", "192.0.2.2", "x@list.example", as("joe@news.example.org"), "dmarc-quarantine"},
		{"strict, and not the same", "192.0.2.2", "x@list.example", strict.sign(t, as("joe@strict.example")), "dmarc-quarantine"},
		{"asks for nothing", "192.0.2.2", "x@list.example", as("joe@none.example"), "dmarc-fail"},
		{"no policy", "192.0.2.2", "x@list.example", as("joe@soft.example"), "dmarc-none"},
		{"two policies", "192.0.2.2", "x@list.example", as("joe@two.example"), "dmarc-none"},
		{"no such policy", "192.0.2.2", "x@list.example", as("joe@odd.example"), "dmarc-permerror"},
		{"reports only", "192.0.2.2", "x@list.example", as("joe@reports.example"), "dmarc-fail"},
		{"policy not to be had", "192.0.2.2", "x@list.example", as("joe@down.example"), "dmarc-temperror"},
		{"SPF not to be had", "192.0.2.2", "x@down.example", letter, "dmarc-temperror"},
		{"no author", "192.0.2.2", "x@list.example", "Subject: x\r\n\r\nx\r\n", "dmarc-permerror"},
		{"two authors", "192.0.2.1", "joe@example.org", "From: x@bank.example\r\n" + letter, "dmarc-permerror two-authors"},
		{"two in one field", "192.0.2.1", "joe@example.org", as("joe@example.org>, <x@bank.example"), "dmarc-permerror two-authors"},
		{"author in a comment", "192.0.2.1", "joe@example.org", strings.Replace(letter, "Joe", `"x@bank.example"`, 1), "dmarc-pass"},
		{"upper case", "192.0.2.1", "joe@example.org", as("joe@EXAMPLE.org"), "dmarc-pass"},
	} {
		m := scantest.Message(test.mail)
		m.Envelope = envelope(test.client, "mail.mx.example", test.sender)
		found, err := scanner(Config{DMARC: true}, z).Scan(t.Context(), m)
		if got := rules(found); got != test.want || err != nil {
			t.Errorf("%s: %q, want %q (%+v, %v)", test.name, got, test.want, found, err)
		}
	}
}

// TestNoHostProvesNothing has names under example.net that begin like one of the
// author's and go on with a byte that ends a host in addresses of pages.
func TestNoHostProvesNothing(t *testing.T) {
	for _, mark := range []string{"/", "?", "#", "\\", "%2f", ":", "@", "/x"} {
		name := "example.org" + mark + ".example.net"
		z := zone()
		z["_dmarc.example.org"] = []string{"TXT v=DMARC1; p=reject"}
		z[name] = []string{"TXT v=spf1 +all"}
		s := newSigner(t, z, name)
		m := scantest.Message(s.sign(t, letter))
		m.Envelope = envelope("192.0.2.2", "x.example", "joe@"+name)
		found, err := scanner(Config{DKIM: true, DMARC: true}, z).Scan(t.Context(), m)
		if got := rules(found); !strings.Contains(got, "dmarc-reject") || strings.Contains(got, "dkim-author") || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func rules(found []scan.Finding) string {
	var names []string
	for _, f := range found {
		names = append(names, strings.TrimPrefix(f.Rule, "auth/"))
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestDKIM(t *testing.T) {
	z := zone()
	s := newSigner(t, z, "example.org")
	signed := s.sign(t, letter)
	field := strings.TrimSuffix(signed, letter)
	huge := rsaKey(t, 16384)
	z["huge._domainkey.example.org"] = []string{"TXT v=DKIM1; p=" + huge}
	for name, test := range map[string]struct{ mail, want string }{
		"none":           {letter, "dkim-none"},
		"pass":           {signed, "dkim-author dkim-pass"},
		"bare LF":        {strings.ReplaceAll(signed, "\r\n", "\n"), "dkim-author dkim-pass"},
		"altered":        {signed + "x\r\n", "dkim-fail"},
		"not readable":   {"DKIM-Signature: nonsense\r\n" + letter, "dkim-permerror"},
		"both":           {"DKIM-Signature: v=1\r\n" + signed, "dkim-author dkim-pass dkim-permerror"},
		"no key":         {strings.Replace(signed, "s=sel;", "s=gone;", 1), "dkim-permerror"},
		"16-kbit key":    {strings.Replace(signed, "s=sel;", "s=huge;", 1), "dkim-permerror"},
		"length":         {strings.Replace(signed, "DKIM-Signature:", "DKIM-Signature: l=5;", 1), "dkim-fail"},
		"200 signatures": {strings.Repeat(field, 200) + letter, "dkim-author dkim-pass"},
		"huge field":     {"DKIM-Signature: v=1; h=" + strings.Repeat("from:", 10_000) + "\r\n" + letter, "dkim-permerror"},
		"odd domain":     {strings.Replace(signed, "d=example.org", "d=a\\b..c", 1), "dkim-permerror"},
	} {
		found, err := scanner(Config{DKIM: true}, z).Scan(t.Context(), scantest.Message(test.mail))
		if got := rules(found); got != test.want || err != nil {
			t.Errorf("%s: %q, want %q (%+v, %v)", name, got, test.want, found, err)
		}
	}
}

// TestAuthorsOwnSignature finds that a signature is of the author's domain only where it is.
func TestAuthorsOwnSignature(t *testing.T) {
	z := zone()
	signers := map[string]signer{}
	sign := func(domain, from string) string {
		if _, ok := signers[domain]; !ok {
			signers[domain] = newSigner(t, z, domain)
		}
		return signers[domain].sign(t, strings.Replace(letter, "From: Joe <joe@example.org>", "From: "+from, 1))
	}
	if !strings.Contains(letter, "From: Joe <joe@example.org>") {
		t.Fatal(letter)
	}
	for name, test := range map[string]struct {
		mail string
		own  bool
	}{
		"the domain":         {sign("example.com", "joe@example.com"), true},
		"upper case":         {sign("example.com", "joe@EXAMPLE.com"), true},
		"one above it":       {sign("example.com", "joe@news.example.com"), true},
		"one below it":       {sign("news.example.com", "joe@example.com"), false},
		"a public suffix":    {sign("co.uk", "joe@example.co.uk"), false},
		"an end of its name": {sign("ample.com", "joe@example.com"), false},
		"another":            {sign("list.com", "joe@example.com"), false},
		"another script":     {sign("xn--bcher-kva.com", "joe@bücher.com"), true},
		"two authors":        {sign("example.com", "joe@example.com, x@bank.com"), false},
		"altered":            {sign("example.com", "joe@example.com") + "x\r\n", false},
		"none":               {letter, false},
	} {
		found, err := scanner(Config{DKIM: true}, z).Scan(t.Context(), scantest.Message(test.mail))
		if got := strings.Contains(rules(found), "dkim-author"); got != test.own || err != nil {
			t.Errorf("%s: %v (%+v, %v)", name, got, found, err)
		}
	}
}

// TestSignaturesAreBounded has a header in which each of thousands of fields
// would be compared with thousands of names.
func TestSignaturesAreBounded(t *testing.T) {
	mail := "DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=sel; bh=x; b=x; h=from:" + strings.Repeat("x:", 7000) + "x\r\n" + strings.Repeat("X: y\r\n", 20_000) + letter
	asked := &dnstest.Recorder{Resolver: zone()}
	found, err := scanner(Config{DKIM: true}, asked).Scan(t.Context(), scantest.Message(mail))
	if rules(found) != "dkim-permerror" || err != nil || len(asked.Asked()) > 0 {
		t.Errorf("%v, %v, asked %v", found, err, asked.Asked())
	}
}

func rsaKey(t *testing.T, bits int) string {
	t.Helper()
	// No such key has to be made to look like one: a modulus of that length does.
	n := make([]byte, bits/8)
	rand.Read(n)
	n[0] |= 0x80
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}
	return base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(key))
}

func TestResults(t *testing.T) {
	z := zone()
	z["_dmarc.example.org"] = []string{"TXT v=DMARC1; p=reject"}
	all := Config{SPF: true, DKIM: true, DMARC: true, Results: true}
	s := newSigner(t, z, "example.org")
	for name, test := range map[string]struct {
		env  scan.Envelope
		mail string
		want string
	}{
		"all": {envelope("192.0.2.1", "h.example", "joe@example.org"), s.sign(t, letter),
			"mx.example.com; spf=pass smtp.mailfrom=joe@example.org; dkim=pass header.d=example.org header.i=@example.org; dmarc=pass header.from=example.org polrec.p=reject polrec.domain=example.org"},
		"none": {envelope("192.0.2.1", "h.example", ""), "Subject: x\r\n\r\n",
			"mx.example.com; spf=none smtp.helo=h.example; dkim=none; dmarc=permerror"},
		"spoof": {envelope("192.0.2.1", "h.example", "x; dmarc=pass\r\n header.from=bank.example@nowhere.example"), "Subject: x\r\n\r\n",
			`mx.example.com; spf=none smtp.mailfrom="x; dmarc=pass?? header.from=bank.example@nowhere.example"; dkim=none; dmarc=permerror`},
	} {
		m := scantest.Message(test.mail)
		m.Envelope = test.env
		found, _ := scanner(all, z).Scan(t.Context(), m)
		if got := found[len(found)-1]; got.Rule != "auth/results" || got.Detail != test.want {
			t.Errorf("%s: %s\n%s\nwant\n%s", name, got.Rule, got.Detail, test.want)
		}
	}
}

func TestOurOwnMail(t *testing.T) {
	m := scantest.Message(letter)
	m.Envelope = envelope("192.0.2.9", "laptop", "joe@example.com")
	m.Envelope.AuthUser = "joe"
	asked := &dnstest.Recorder{Resolver: zone()}
	found, err := scanner(Config{SPF: true, DKIM: true, DMARC: true, Results: true}, asked).Scan(t.Context(), m)
	if len(found) != 1 || found[0].Detail != "mx.example.com; auth=pass smtp.auth=joe" || err != nil || len(asked.Asked()) > 0 {
		t.Errorf("%+v, %v, asked %v", found, err, asked.Asked())
	}
}

func TestCheck(t *testing.T) {
	if err := DefaultConfig().Check(); err != nil {
		t.Error(err)
	}
	if err := (Config{Signatures: 1, DMARC: true, ARCTrusted: []string{"lists.example.org", ".example.net", "bücher.example"}}).Check(); err != nil {
		t.Error(err)
	}
	for _, d := range []string{"", ".", "org", ".org", "a@example.org", "*.example.org", "example.org/x", "..example.org", "a b.example", "192.0.2.1"} {
		if (Config{Signatures: 1, DMARC: true, ARCTrusted: []string{d}}).Check() == nil {
			t.Errorf("%q may be trusted", d)
		}
	}
	for _, c := range []Config{{}, {Signatures: 1, ARCTrusted: []string{"example.org"}}, {Signatures: 500}, {Signatures: 1, ID: "a b"}, {Signatures: 1, Scores: map[string]float64{"spf-fali": 1}}} {
		if c.Check() == nil {
			t.Errorf("%+v is fine", c)
		}
	}
}

func TestContract(t *testing.T) {
	all := Config{SPF: true, DKIM: true, DMARC: true, Results: true, Signatures: 10, ID: "mx.example.com"}
	scantest.Run(t, scanner(all, dnstest.Zone{"*.example.net": {fmt.Sprint(dnstest.Silent)}}), Catalogue()...)
}

var _ scan.EnvelopeScanner = (*Scanner)(nil)
