package pipeline

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan"
)

// row is a line of a table on the page: key, default, anything, findings.
var row = regexp.MustCompile("(?m)^\\| `([a-z._]+)` \\| `([^`]+)` \\|[^|]*\\|([^|]*)\\|")

// reached is a finding on the page, with the star of those that the profiles let through.
var reached = regexp.MustCompile("`([a-z]+/[a-z-]+)`( \\*)?")

// TestLimitsAreRefused: the profiles refuse what reached a limit on opening, as the page says,
// or mark what has a star.
func TestLimitsAreRefused(t *testing.T) {
	page, err := os.ReadFile("../../../docs/limits.md")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]scan.Kind{}
	for _, r := range Catalogue() {
		kinds[r.Name] = r.Kind
	}
	tried := 0
	for _, m := range row.FindAllStringSubmatch(string(page), -1) {
		for _, f := range reached.FindAllStringSubmatch(m[3], -1) {
			if !strings.HasPrefix(m[1], "limits.") || kinds[f[1]] != scan.Unscannable {
				continue
			}
			tried++
			for _, profile := range []string{policy.ProfileDefault, policy.ProfileHosting} {
				if refused := answerTo(t, profile, f[1]) == policy.Reject; refused != (f[2] == "") {
					t.Errorf("%s: %s%s is refused: %v", profile, f[1], f[2], refused)
				}
			}
		}
	}
	if tried < 20 {
		t.Errorf("the page names %d findings", tried)
	}
}

// answerTo returns what a profile answers to a message of which something was not examined.
func answerTo(t *testing.T, profile, finding string) policy.Answer {
	rules, err := policy.Profile(profile)
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.New(rules, policy.Local{})
	if err != nil {
		t.Fatal(err)
	}
	f := scan.Finding{Kind: scan.Unscannable, Rule: finding, Part: scan.WholeMessage}
	return p.Decide(policy.Input{Stage: scan.StageMessage, Found: []scan.Finding{f}}).Answer
}

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
