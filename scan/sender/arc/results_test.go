package arc

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan/scantest"
	"github.com/milterscan/milterscan/scan/sender/dns"
)

func TestParseResults(t *testing.T) {
	for text, want := range map[string]string{
		"mx.example; dmarc=pass header.from=example.org":                                            "dmarc=pass header.from=example.org",
		" mx.example 1;\r\n\tspf=pass smtp.mailfrom=joe@example.org;\r\n dkim=pass header.d=a.b":    "spf=pass smtp.mailfrom=joe@example.org | dkim=pass header.d=a.b",
		"mx.example; DMARC = Pass (p=NONE; dis=NONE) header.from=example.org":                       "dmarc=pass header.from=example.org",
		`mx.example; spf=pass smtp.mailfrom="a; dmarc=pass header.from=bank.example"`:               "spf=pass smtp.mailfrom=a; dmarc=pass header.from=bank.example",
		`mx.example; spf=fail (a "comment; dmarc=pass header.from=x" (nested)) smtp.mailfrom=b@c.d`: "spf=fail smtp.mailfrom=b@c.d",
		`mx.example; dkim/1=pass reason="good; \"signature\"" header.b=abc/d=`:                      `dkim=pass header.b=abc/d= reason=good; "signature"`,
		"mx.example; none": "",
		"mx.example":       "",
		"":                 "",
		"mx.example; (not closed dmarc=pass header.from=x":       "",
		"mx.example; =pass; dmarc=; dmarc=fail header.from=x; ;": "dmarc=fail header.from=x",
		"mx.example; spf=pass a=1 a=2; dkim=none":                "dkim=none",
		`(mx; dmarc=pass header.from=x) "mx;y"; dkim=fail`:       "dkim=fail",
	} {
		var got []string
		for _, r := range ParseResults(text) {
			s := r.Method + "=" + r.Value
			for _, name := range slices.Sorted(maps.Keys(r.Properties)) {
				s += fmt.Sprintf(" %s=%s", name, r.Properties[name])
			}
			got = append(got, s)
		}
		if s := strings.Join(got, " | "); s != want {
			t.Errorf("%q: %q, want %q", text, s, want)
		}
	}
}

func TestUnsigned(t *testing.T) {
	for raw, want := range map[string]string{
		"ARC-Seal: i=1; bh=x b=; b=abc\r\n def==; d=x\r\n": "ARC-Seal: i=1; bh=x b=; b=; d=x\r\n",
		"ARC-Seal: b =abc\r\n":                             "ARC-Seal: b =",
		"ARC-Seal: i=1;\r\n b\r\n =x":                      "ARC-Seal: i=1;\r\n b\r\n =",
		"ARC-Seal: bb=x":                                   "ARC-Seal: bb=x",
	} {
		if got := unsigned(raw); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}

// nowhere is a resolver that knows one key for all names.
type nowhere struct{}

func (nowhere) Lookup(context.Context, string, dns.Type) ([]dns.Record, error) {
	return []dns.Record{{Text: "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="}}, nil
}

// FuzzRead has the fields of a set made up by somebody: nothing breaks, every chain
// is complete, and nothing is valid.
func FuzzRead(f *testing.F) {
	f.Add("i=1; mx.example; dmarc=pass (x) header.from=example.org", "i=1; a=rsa-sha256; d=a.example; s=s; h=from; bh=x; b=y", "i=1; cv=none; a=rsa-sha256; d=a.example; s=s; b=")
	f.Add("(i=2) i (c) = 1 ; \"a", "i=01; b==; l=1", "i=1;;;b")
	f.Fuzz(func(t *testing.T, results, signature, seal string) {
		m := scantest.Message("ARC-Seal: " + seal + "\r\nARC-Message-Signature: " + signature + "\r\nARC-Authentication-Results: " + results +
			"\r\nFrom: joe@example.org\r\n\r\nhello\r\n")
		c, err := Read(m)
		if err != nil {
			t.Fatal(err)
		}
		if c.Fault() != nil && len(c.Sets) > 0 {
			t.Errorf("%d sets and %v", len(c.Sets), c.Fault())
		}
		for i, s := range c.Sets {
			if s.Instance != i+1 || len(s.Sealer) > longestText || len(s.Signer) > longestText {
				t.Errorf("%+v", s)
			}
		}
		for _, r := range ParseResults(results) {
			if r.Method == "" || r.Value == "" || len(r.Properties) > maxResults {
				t.Errorf("%+v", r)
			}
		}
		if err := c.Verify(t.Context(), m, nowhere{}); err == nil {
			t.Error("it is valid")
		}
	})
}
