package content

import (
	"strings"
	"testing"
)

// TestHiddenBySheets: text that a style sheet hides counts like text that is hidden by the
// style of its element; lines for previews do not.
func TestHiddenBySheets(t *testing.T) {
	words := strings.Repeat("lorem ipsum ", 50)
	for name, c := range map[string]struct{ html, rules string }{
		"hidden":            {"<style>.x{display:none}</style><div class=x>" + words + "</div>text to be read", "hidden-text"},
		"hidden afterwards": {"<div class=x>" + words + "</div>text to be read<style>.x{font-size:0}</style>", "hidden-text"},
		"a preview line":    {"<style>.x{display:none}</style><div class=x>Our offers of this week</div>text to be read", ""},
		"shown":             {"<style>.x{display:none}@media all{.x{display:block}}</style><div class=x>" + words + "</div>text to be read", ""},
		"for print":         {"<style>@media print{.x{display:none}}</style><div class=x>" + words + "</div>text to be read", ""},
		"a hidden image":    {"<style>.x{display:none}</style>text <img class=x src=http://x.test/a>", "web-bug"},
	} {
		rules, details := found(t, DefaultConfig(), body(c.html))
		if got := strings.Join(rules, " "); got != c.rules {
			t.Errorf("%s: finds %q, want %q\n%s", name, got, c.rules, details)
		}
	}
}
