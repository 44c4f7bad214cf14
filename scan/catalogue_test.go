package scan

import "testing"

func TestCatalogue(t *testing.T) {
	type own string
	c := NewCatalogue("relay", "relay", "It failed.", Entry(own("null-mx"), Forbidden, "No mail."), Entry("connections", Suspicious, "Many."))
	for name, want := range map[string]bool{
		"relay/null-mx": true, "relay/connections": true, "null-mx": false, "relay/failed": false, "auth/null-mx": false,
	} {
		if c.Has(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
	f := c.Finding("relay/null-mx", 3, "said so")
	if f != (Finding{Kind: Forbidden, Scanner: "relay", Rule: "relay/null-mx", Part: 3, Detail: "said so"}) {
		t.Errorf("%+v", f)
	}
	if f := c.Finding("relay/failed", WholeMessage, ""); f.Kind != Failed {
		t.Errorf("%+v", f)
	}
	rules := c.Rules()
	rules[0].Name = "other"
	if len(rules) != 3 || c[0].Name != "relay/null-mx" {
		t.Errorf("%v", c)
	}
}
