package pipeline

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy/config"
)

// row is a line of a table on the page: key, default, anything, findings.
var row = regexp.MustCompile("(?m)^\\| `([a-z._]+)` \\| `([^`]+)` \\|[^|]*\\|([^|]*)\\|")

func TestLimitsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../docs/limits.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]string{}
	found := map[string]bool{}
	for _, r := range Catalogue() {
		found["`"+r.Name+"`"] = true
	}
	for _, m := range row.FindAllStringSubmatch(string(page), -1) {
		told[m[1]] = m[2]
		for _, name := range regexp.MustCompile("`(mime|archive)/[^`]+`").FindAllString(m[3], -1) {
			if !found[name] {
				t.Errorf("%s: nothing finds %s", m[1], name)
			}
		}
	}
	for _, set := range config.Default().Effective().Settings {
		if !strings.HasPrefix(set.Key, "limits.") && told[set.Key] == "" {
			continue
		}
		if value := strings.Trim(set.Value, `"`); told[set.Key] != value {
			t.Errorf("%s is %s; the page says %q", set.Key, value, told[set.Key])
		}
	}
}
