package policy

import (
	"net/netip"
	"testing"

	"github.com/milterscan/milterscan/scan"
)

// condition is a condition as text.
func condition(t *testing.T, text string) Condition {
	t.Helper()
	var c Condition
	if err := c.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestInterest(t *testing.T) {
	listed := []scan.Rule{{Name: "spam/sa/*"}, {Name: "spam/spamassassin"}}
	for text, want := range map[string]bool{
		"score >= 5":     true,
		"score < 1":      true,
		"score >= own 5": true,
		"spam/sa/BAYES*": true,
		"spam/*":         true,
		"*/spamassassin": true,
		"spam/failed*":   false,

		"spam/spamassassin >= 5": true,
		"spam/rspamd >= 5":       false,
		"virus/*":                false,
		"note":                   false,
	} {
		for _, g := range []Grounds{{When: []Condition{condition(t, text)}}, {Requires: []Condition{condition(t, text)}}, {Unless: []Condition{condition(t, text)}}} {
			p, err := New([]Rule{{Grounds: g}}, Local{})
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Interest(listed).Covers(scan.Envelope{}); got != want {
				t.Errorf("%s in %+v: %t, want %t", text, g, got, want)
			}
		}
	}
}

func TestInterestInAHeader(t *testing.T) {
	for value, want := range map[string]bool{"{rule}": false, "{score}": true, "points: {bar}": true, "{scored}": true} {
		p, err := New([]Rule{{Outcome: Outcome{Headers: []HeaderField{{"X-A", value}}}}}, Local{})
		if err != nil || p.Interest(nil).Any() != want {
			t.Errorf("%s: %t, error %v", value, !want, err)
		}
	}
}

// TestInterestIsInTheMailAtHand: a rule for others wakes nobody.
func TestInterestIsInTheMailAtHand(t *testing.T) {
	r := Rule{Grounds: Grounds{When: []Condition{condition(t, "score > 5")}}}
	if err := r.Scope.Direction.UnmarshalText([]byte("inbound")); err != nil {
		t.Fatal(err)
	}
	wanted, err := ParseAddressPattern("@wants.example")
	if err != nil {
		t.Fatal(err)
	}
	r.Scope.To = []AddressPattern{wanted}
	p, err := New([]Rule{r}, Local{})
	if err != nil {
		t.Fatal(err)
	}
	client := netip.MustParseAddrPort("192.0.2.1:25")
	for name, c := range map[string]struct {
		e    scan.Envelope
		want bool
	}{
		"for it":     {scan.Envelope{Client: client, Recipients: []string{"a@other.example", "b@wants.example"}}, true},
		"for others": {scan.Envelope{Client: client, Recipients: []string{"a@other.example"}}, false},
		"from us":    {scan.Envelope{Client: client, AuthUser: "u", Recipients: []string{"b@wants.example"}}, false},
	} {
		if got := p.Interest(nil).Covers(c.e); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	none, err := New(defaultRules(), Local{})
	if err != nil || none.Interest([]scan.Rule{{Name: "spam/sa/*"}}).Covers(scan.Envelope{}) {
		t.Errorf("the default profile wants a score (error %v)", err)
	}
}
