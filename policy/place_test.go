package policy

import (
	"net/netip"
	"testing"

	"github.com/milterscan/milterscan/scan"
)

func TestCountries(t *testing.T) {
	var c Country
	if err := c.UnmarshalText([]byte("de")); err != nil || c != "DE" {
		t.Errorf("%q, %v", c, err)
	}
	for _, wrong := range []string{"", "D", "DEU", "Ä", "1A", "D "} {
		if err := c.UnmarshalText([]byte(wrong)); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}

// TestRulesByPlace: a rule is for clients that are known to be there. Of what a relay passes on
// that is not known before the message.
func TestRulesByPlace(t *testing.T) {
	local := Local{Relays: []Network{{netip.MustParsePrefix("198.51.100.0/24")}}}
	client, relay := netip.MustParseAddrPort("192.0.2.1:25"), netip.MustParseAddrPort("198.51.100.1:25")
	for _, test := range []struct {
		name    string
		scope   Scope
		client  netip.AddrPort
		place   scan.Place
		early   Answer
		message Answer
	}{
		{"there", Scope{Country: []Country{"DE", "AT"}}, client, scan.Place{Country: "AT"}, Reject, Reject},
		{"elsewhere", Scope{Country: []Country{"DE", "AT"}}, client, scan.Place{Country: "FR"}, Deliver, Deliver},
		{"not known", Scope{Country: []Country{"DE"}}, client, scan.Place{}, Deliver, Deliver},
		{"no number", Scope{ASN: []uint32{0}}, client, scan.Place{}, Deliver, Deliver},
		{"number", Scope{ASN: []uint32{64496}}, client, scan.Place{ASN: 64496}, Reject, Reject},
		{"another", Scope{ASN: []uint32{64496}}, client, scan.Place{ASN: 64497}, Deliver, Deliver},
		{"both", Scope{Country: []Country{"DE"}, ASN: []uint32{64496}}, client, scan.Place{Country: "DE", ASN: 64496}, Reject, Reject},
		{"one of both", Scope{Country: []Country{"DE"}, ASN: []uint32{64496}}, client, scan.Place{Country: "DE"}, Deliver, Deliver},
		{"a relay", Scope{Country: []Country{"DE"}}, relay, scan.Place{Country: "DE"}, Deliver, Reject},
	} {
		p, err := New([]Rule{{Ref: RuleRef{Name: "place"}, Scope: test.scope, Outcome: Outcome{Answer: Reject}}}, local)
		if err != nil {
			t.Fatal(err)
		}
		in := Input{Stage: scan.StageConnect, Envelope: scan.Envelope{Client: test.client, Place: test.place}}
		if got := p.Decide(in).Answer; got != test.early {
			t.Errorf("%s at connect: %v", test.name, got)
		}
		in.Stage, in.Envelope.Recipients = scan.StageMessage, []string{"a@example.com"}
		if got := p.Decide(in).Answer; got != test.message {
			t.Errorf("%s with the message: %v", test.name, got)
		}
	}
}

func TestRulesByPlaceHide(t *testing.T) {
	all := Rule{Scope: Scope{Country: []Country{"DE", "AT"}}, Outcome: Outcome{Answer: Reject}}
	some := Rule{Scope: Scope{Country: []Country{"DE"}}, Outcome: Outcome{Answer: Reject}}
	network := Rule{Scope: Scope{Country: []Country{"DE"}, ASN: []uint32{64496}}, Outcome: Outcome{Answer: Reject}}
	if !all.Hides(some) || some.Hides(all) || !some.Hides(network) || network.Hides(some) {
		t.Error("the rule for more mail hides the one for less, and no other")
	}
	if s := network.String(); s != "country DE; asn 64496 → reject" {
		t.Error(s)
	}
}
