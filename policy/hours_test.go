package policy

import (
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
)

func TestHours(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		hours, time string // 2026-03-02 is a Monday
		want        bool
	}{
		{"mon-fri 08:00-18:00 UTC", "2026-03-02T08:00:00Z", true},
		{"mon-fri 08:00-18:00 UTC", "2026-03-02T17:59:59Z", true},
		{"mon-fri 08:00-18:00 UTC", "2026-03-02T18:00:00Z", false},
		{"mon-fri 08:00-18:00 UTC", "2026-03-02T07:59:00Z", false},
		{"mon-fri 08:00-18:00 UTC", "2026-03-07T12:00:00Z", false},
		{"Mon-Fri 08:00-18:00 Europe/Berlin", "2026-03-02T07:30:00Z", true},
		{"mon-fri 08:00-18:00 Europe/Berlin", "2026-07-06T06:30:00Z", true},
		{"mon-fri 08:00-18:00 America/New_York", "2026-03-02T08:30:00Z", false},
		{"sat,sun UTC", "2026-03-07T00:00:00Z", true},
		{"sat,sun UTC", "2026-03-06T23:59:00Z", false},
		{"fri-mon UTC", "2026-03-02T12:00:00Z", true},
		{"fri-mon UTC", "2026-03-03T12:00:00Z", false},
		{"22:00-06:00 UTC", "2026-03-02T23:00:00Z", true},
		{"22:00-06:00 UTC", "2026-03-02T05:59:00Z", true},
		{"22:00-06:00 UTC", "2026-03-02T06:00:00Z", false},
		{"fri 22:00-06:00 UTC", "2026-03-07T03:00:00Z", true},
		{"fri 22:00-06:00 UTC", "2026-03-06T03:00:00Z", false},
		{"00:00-24:00 UTC", "2026-03-02T23:59:59Z", true},
	} {
		var h Hours
		if err := h.UnmarshalText([]byte(c.hours)); err != nil {
			t.Fatal(err)
		}
		if got := h.hold(at(c.time)); got != c.want {
			t.Errorf("%s at %s: %v", c.hours, c.time, got)
		}
	}
	for _, wrong := range []string{"", "never", "mon-", "08:00", "08:00-08:00", "25:00-26:00", "8-9", "mon 08:00-18:60", "mon 08:00-18:00 Atlantis/City", "24:00-01:00", "mon tue"} {
		if err := new(Hours).UnmarshalText([]byte(wrong)); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}

// TestRulesByHours: a rule is for mail of its hours, and for no other.
func TestRulesByHours(t *testing.T) {
	var h Hours
	if err := h.UnmarshalText([]byte("mon-fri 08:00-18:00 UTC")); err != nil {
		t.Fatal(err)
	}
	rules := []Rule{{Ref: RuleRef{Name: "at work"}, Scope: Scope{Hours: []Hours{h}}, Outcome: Outcome{Answer: Reject}}}
	p, err := New(rules, Local{})
	if err != nil {
		t.Fatal(err)
	}
	for stamp, want := range map[string]Answer{"2026-03-02T09:00:00Z": Reject, "2026-03-02T19:00:00Z": Deliver, "": Deliver} {
		in := Input{Stage: scan.StageMessage, Envelope: scan.Envelope{Recipients: []string{"a@example.com"}}}
		if stamp != "" {
			in.Envelope.Received, _ = time.Parse(time.RFC3339, stamp)
		}
		if got := p.Decide(in).Answer; got != want {
			t.Errorf("at %q: %v, want %v", stamp, got, want)
		}
	}
}
