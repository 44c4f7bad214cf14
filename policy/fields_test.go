package policy

import (
	"testing"

	"github.com/milterscan/milterscan/scan"
)

// TestFillIn has words, and braces that are none.
func TestFillIn(t *testing.T) {
	f := mustNew(t, nil).facts(&Input{ID: "{rule}", Found: []scan.Finding{{Rule: "spam/x", Detail: "bad"}}})
	for text, want := range map[string]string{
		"":                      "",
		"plain":                 "plain",
		"{rule} {detail}":       "spam/x bad",
		"{id}":                  "{rule}", // what was filled in is not filled in again
		"{id}{id}":              "{rule}{rule}",
		"{no} {Rule} {}":        "{no} {Rule} {}",
		"{{rule}}":              "{spam/x}",
		"{x{detail}":            "{xbad",
		"} {rule":               "} {rule",
		"{client}|{user}|{bar}": "|-|",
	} {
		if got := f.fillIn(text, "mine", 0); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
	if got := f.fillIn("{rule}|{detail}", "mine", itself); got != "mine|" {
		t.Errorf("of the message itself: %q", got)
	}
}
