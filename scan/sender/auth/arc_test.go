package auth

import (
	"fmt"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan/scantest"
	"github.com/milterscan/milterscan/scan/sender/arc/arctest"
	"github.com/milterscan/milterscan/scan/sender/dns/dnstest"
)

// believed are the sealers of these tests.
var believed = Config{DMARC: true, ARCTrusted: []string{"lists.example", ".forwarder.example", "slow.example"}}

// TestARC has mail of a domain that asks to refuse it, passed on by others.
func TestARC(t *testing.T) {
	z := zone()
	z["_dmarc.example.org"] = []string{"TXT v=DMARC1; p=reject"}
	z["_dmarc.mail.example.org"] = nil
	z["arc._domainkey.slow.example"] = []string{dnstest.Timeout}
	list, below := arctest.New(t, z, "lists.example"), arctest.New(t, z, "mx1.forwarder.example")
	evil, parent := arctest.New(t, z, "evil.example"), arctest.New(t, z, "forwarder.example")
	slow := arctest.New(t, dnstest.Zone{}, "slow.example")
	odd := arctest.New(t, z, "lists.example/.evil.example")
	says := func(results string) arctest.Set { return arctest.Set{Results: "mx.example; " + results} }
	const pass, fail = "dmarc=pass header.from=example.org", "dmarc=fail header.from=example.org; arc=pass"
	began := evil.Seal(t, letter, says(pass))
	for name, test := range map[string]struct{ mail, want string }{
		"no chain":                       {letter, "dmarc-reject"},
		"believed":                       {list.Seal(t, letter, says(pass)), "arc-trusted"},
		"below one who is":               {below.Seal(t, letter, says(pass)), "arc-trusted"},
		"above those who are":            {parent.Seal(t, letter, says(pass)), "arc-untrusted dmarc-reject"},
		"not believed":                   {began, "arc-untrusted dmarc-reject"},
		"a name that only looks like it": {odd.Seal(t, letter, says(pass)), "arc-untrusted dmarc-reject"},
		"two who are":                    {below.Seal(t, list.Seal(t, letter, says(pass)), says(fail)), "arc-trusted"},
		"the newest does not say so":     {list.Seal(t, letter, says(fail)), "arc-pass dmarc-reject"},
		"he had it from one who lies":    {list.Seal(t, began, says(fail)), "arc-pass dmarc-reject"},
		"he saw it himself":              {list.Seal(t, began, says(pass)), "arc-trusted"},
		"one who lies in between":        {list.Seal(t, evil.Seal(t, list.Seal(t, letter, says(pass)), says(fail)), says(fail)), "arc-pass dmarc-reject"},
		"the last is not believed":       {evil.Seal(t, list.Seal(t, letter, says(pass)), says(fail)), "arc-untrusted dmarc-reject"},
		"another author":                 {list.Seal(t, letter, says("dmarc=pass header.from=example.net")), "arc-pass dmarc-reject"},
		"both":                           {list.Seal(t, letter, says(pass+"; dmarc=fail header.from=EXAMPLE.org")), "arc-pass dmarc-reject"},
		"DKIM":                           {list.Seal(t, letter, says("dkim=pass header.d=example.org")), "arc-trusted"},
		"DKIM by identity":               {list.Seal(t, letter, says("dkim=pass header.i=@mail.example.org")), "arc-trusted"},
		"SPF":                            {list.Seal(t, letter, says("spf=pass smtp.mailfrom=joe@example.org")), "arc-trusted"},
		"SPF of another":                 {list.Seal(t, letter, says("spf=pass smtp.mailfrom=joe@evil.example")), "arc-pass dmarc-reject"},
		"SPF fails":                      {list.Seal(t, letter, says("spf=fail smtp.mailfrom=joe@example.org")), "arc-pass dmarc-reject"},
		"DKIM, but DMARC fails":          {list.Seal(t, letter, says("dkim=pass header.d=example.org; "+fail)), "arc-pass dmarc-reject"},
		"DKIM of no host":                {list.Seal(t, letter, says("dkim=pass header.d=example.org/.evil.example")), "arc-pass dmarc-reject"},
		"no results":                     {list.Seal(t, letter, says("none")), "arc-pass dmarc-reject"},
		"altered":                        {list.Seal(t, letter, says(pass)) + "x\r\n", "arc-fail dmarc-reject"},
		"made up":                        {"ARC-Seal: i=1\r\n" + letter, "arc-fail dmarc-reject"},
		"no answer":                      {slow.Seal(t, letter, says(pass)), "arc-temperror dmarc-reject"},
	} {
		m := scantest.Message(test.mail)
		m.Envelope = envelope("192.0.2.2", "mail.mx.example", "x@list.example")
		found, err := scanner(believed, z).Scan(t.Context(), m)
		if got := rules(found); got != test.want || err != nil {
			t.Errorf("%s: %q, want %q (%+v, %v)", name, got, test.want, found, err)
		}
	}
}

// TestARCOnlyWhereItMatters asks for no key where DMARC passes, where no sealer is
// believed, and where the newest sealer is not.
func TestARCOnlyWhereItMatters(t *testing.T) {
	z := zone()
	z["_dmarc.example.org"] = []string{"TXT v=DMARC1; p=reject"}
	list, evil := arctest.New(t, z, "lists.example"), arctest.New(t, z, "evil.example")
	results := arctest.Set{Results: "mx.example; dmarc=pass header.from=example.org"}
	by := list.Seal(t, letter, results)
	for name, test := range map[string]struct {
		config       Config
		client, mail string
		want         int
	}{
		"DMARC fails":  {believed, "192.0.2.2", by, 1},
		"DMARC passes": {believed, "192.0.2.1", by, 0},
		"nobody":       {Config{DMARC: true}, "192.0.2.2", by, 0},
		"not him":      {believed, "192.0.2.2", evil.Seal(t, by, results), 0},
	} {
		asked := &dnstest.Recorder{Resolver: z}
		m := scantest.Message(test.mail)
		m.Envelope = envelope(test.client, "x.example", "joe@example.org")
		if _, err := scanner(test.config, asked).Scan(t.Context(), m); err != nil {
			t.Error(err)
		}
		if n := strings.Count(fmt.Sprint(asked.Asked()), "_domainkey"); n != test.want {
			t.Errorf("%s: %d keys asked for: %v", name, n, asked.Asked())
		}
	}
}

func TestARCResults(t *testing.T) {
	z := zone()
	z["_dmarc.example.org"] = []string{"TXT v=DMARC1; p=reject"}
	list := arctest.New(t, z, "lists.example")
	c := believed
	c.Results = true
	for mail, want := range map[string]string{
		list.Seal(t, letter, arctest.Set{Results: "mx.example; dmarc=pass header.from=example.org"}): "; arc=pass smtp.remote-ip=192.0.2.2",
		list.Seal(t, letter, arctest.Set{Results: "mx.example"}) + "x":                               "; arc=fail smtp.remote-ip=192.0.2.2",
		letter: " polrec.domain=example.org",
	} {
		m := scantest.Message(mail)
		m.Envelope = envelope("192.0.2.2", "x.example", "x@list.example")
		found, err := scanner(c, z).Scan(t.Context(), m)
		got := found[len(found)-1]
		if err != nil || got.Rule != "auth/results" || !strings.HasSuffix(got.Detail, want) || !strings.Contains(got.Detail, "dmarc=fail") {
			t.Errorf("%+v, %v; want %s", got, err, want)
		}
	}
}
