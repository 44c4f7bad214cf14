package auth

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan/scantest"
	"github.com/milterscan/milterscan/scan/sender/arc/arctest"
)

// TestEvaluations has what is kept of messages for reports.
func TestEvaluations(t *testing.T) {
	z := zone()
	z["_dmarc.example.org"] = []string{"TXT v=DMARC1; p=reject; np=none; aspf=s; t=y; fo=1; rua=mailto:Reports@example.org,mailto:x@other.example!5m"}
	z["_dmarc.silent.example"] = []string{"TXT v=DMARC1; p=reject"}
	z["_dmarc.down.example"] = []string{"!timeout"}
	s := newSigner(t, z, "example.org")
	list := arctest.New(t, z, "lists.example")
	policy := Published{Domain: "example.org", P: "reject", SP: "reject", NP: "none", StrictSPF: true, Testing: true, Failures: "1",
		ReportAddresses: "mailto:Reports@example.org,mailto:x@other.example!5m"}
	signed := Signed{"example.org", "sel", "pass"}
	for name, test := range map[string]struct {
		client, sender, mail string
		want                 *Evaluation
	}{
		"SPF":  {"192.0.2.1", "joe@example.org", letter, &Evaluation{Passed: true, Sender: "example.org", SPF: "pass", SPFFits: true}},
		"DKIM": {"192.0.2.2", "joe@example.org", s.sign(t, letter), &Evaluation{Passed: true, Sender: "example.org", SPF: "fail", DKIM: []Signed{signed}, KeyFits: true}},
		"both": {"192.0.2.1", "joe@example.org", s.sign(t, letter), &Evaluation{Passed: true, Sender: "example.org", SPF: "pass", SPFFits: true, DKIM: []Signed{signed}, KeyFits: true}},
		"neither": {"192.0.2.2", "x@soft.example", s.sign(t, letter) + "x\r\n", &Evaluation{Sender: "soft.example", SPF: "softfail",
			DKIM: []Signed{{"example.org", "sel", "fail"}}}},
		"null sender": {"192.0.2.2", "", letter, &Evaluation{}},
		"ARC": {"192.0.2.2", "x@soft.example", list.Seal(t, letter, arctest.Set{Results: "mx.example; dmarc=pass header.from=example.org"}),
			&Evaluation{Sender: "soft.example", SPF: "softfail", Trusted: true}},
		"wants no reports": {"192.0.2.2", "x@soft.example", strings.Replace(letter, "example.org", "silent.example", 1), nil},
		"not known":        {"192.0.2.2", "x@soft.example", strings.Replace(letter, "example.org", "down.example", 1), nil},
		"no author":        {"192.0.2.2", "x@soft.example", "Subject: x\r\n\r\n", nil},
	} {
		kept := new(Evaluations)
		scanner := scanner(believed, z)
		scanner.with.Evaluations = kept
		m := scantest.Message(test.mail)
		m.Envelope = envelope(test.client, "h.example", test.sender)
		if _, err := scanner.Scan(t.Context(), m); err != nil {
			t.Error(err)
		}
		if test.want != nil {
			test.want.Client, test.want.Author, test.want.Policy = netip.MustParseAddr(test.client), "example.org", policy
			test.want.Asked, test.want.Softer = "quarantine", true
		}
		if got := kept.Of(t.Context(), m); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s:\n%+v, want\n%+v", name, got, test.want)
		}
	}
}
