package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
)

// loadDomains loads a configuration with files for domains.
func loadDomains(t *testing.T, host string, domains map[string]string) (*Config, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "domains.d"), 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("milterscan.toml", host)
	for name, text := range domains {
		write("domains.d/"+name+".toml", text)
	}
	return Load(filepath.Join(dir, "milterscan.toml"))
}

const hostOf = `
[local]
domains = ["a.example", "b.example", ".c.example"]
[per_domain]
dir = "domains.d"
[[rule]]
name = "spam"
when = ["score >= 5"]
action = "reject"
`

// decided is what becomes of a mail with a finding, from elsewhere to one.
func decided(t *testing.T, c *Config, to, user string, found ...scan.Finding) policy.Decision {
	t.Helper()
	p, err := c.Policy()
	if err != nil {
		t.Fatal(err)
	}
	return p.Decide(policy.Input{Stage: scan.StageMessage, Envelope: scan.Envelope{Sender: "x@elsewhere.example", Recipients: []string{to}, AuthUser: user}, Found: found})
}

func TestDomainsSettleForThemselves(t *testing.T) {
	c, err := loadDomains(t, hostOf, map[string]string{
		"a.example":  "off = [\"spam\"]\n",
		"b.example":  "[[rule]]\nname = \"no programs\"\nwhen = [\"attachment/*\"]\naction = \"deliver\"\ntag = \"{Program?}\"\n",
		".c.example": "[[rule]]\nto = [\"boss@x.c.example\"]\nwhen = [\"score >= 1\"]\naction = \"quarantine\"\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	spam := scan.Finding{Kind: scan.Suspicious, Scanner: "spam", Rule: "spam/x", Part: -1, Score: 9}
	little := scan.Finding{Kind: scan.Note, Scanner: "spam", Rule: "spam/y", Part: -1, Score: 2}
	program := scan.Finding{Kind: scan.Forbidden, Scanner: "attachment", Rule: "attachment/name", Part: -1}
	for _, d := range []struct {
		to, user string
		found    scan.Finding
		want     string
		tag      string
	}{
		{"u@a.example", "", spam, "deliver", ""},
		{"u@b.example", "", spam, "reject", ""},
		{"u@x.c.example", "", spam, "reject", ""},
		{"u@b.example", "", program, "deliver", "{Program?}"},
		{"u@a.example", "", program, "reject", ""},
		{"boss@x.c.example", "", little, "quarantine", ""},
		{"u@x.c.example", "", little, "deliver", ""},
		{"u@elsewhere.example", "joe", spam, "reject", ""}, // outbound
	} {
		got := decided(t, c, d.to, d.user, d.found)
		if got.Action() != d.want || got.Tag != d.tag {
			t.Errorf("%s, %s: %s %s, want %s", d.to, d.found.Rule, got.Action(), got.Tag, d.want)
		}
	}
	if !c.Unwanted("spam", []string{"u@a.example", "v@A.EXAMPLE"}) || c.Unwanted("spam", []string{"u@a.example", "u@b.example"}) || c.Unwanted("content", []string{"u@a.example"}) || c.Unwanted("spam", nil) {
		t.Error("who wants the spam scanner is not known")
	}
}

func TestTheHostDecidesWhatDomainsMaySettle(t *testing.T) {
	for text, want := range map[string]string{
		"off = [\"virus\"]": "\"virus\" cannot be switched off here; the host allows content, spam",
		"[[rule]]\nwhen = [\"attachment/*\"]\naction = \"deliver\"\nnotify = [\"x@elsewhere.example\"]\n": "rule[0].notify: the host does not let domains set this",
		"[[rule]]\nwhen = [\"infected\"]\naction = \"deliver\"\n":                                         "does not let domains decide about infected",
		"[[rule]]\nwhen = [\"virus/x\"]\naction = \"deliver\"\n":                                          "does not let domains decide about virus/x",
		"[[rule]]\nfrom = [\"@friend.example\"]\naction = \"deliver\"\n":                                  "it is for any mail",
		"[[rule]]\nwhen = [\"spam/*\"]\naction = \"tempfail\"\n":                                          "does not let domains do this",
		"[[rule]]\nwhen = [\"spam/*\"]\naction = \"deliver\"\nto = [\"u@b.example\"]\n":                   "u@b.example is not in a.example",
		"[[rule]]\nwhen = [\"spam/*\"]\naction = \"deliver\"\nto = [\"*\"]\n":                             "* is not in a.example",
		"[limits]\ntime = \"1s\"\n":                                                                       "there is no such key",
	} {
		_, err := loadDomains(t, hostOf, map[string]string{"a.example": text})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "a.example.toml:") {
			t.Errorf("%s\n%v\nwant %q", text, err, want)
		}
	}
	if _, err := loadDomains(t, hostOf, map[string]string{"no domain": ""}); err == nil || !strings.Contains(err.Error(), "its name is no domain") {
		t.Errorf("a file that is no domain's: %v", err)
	}
	if _, err := loadDomains(t, hostOf, nil); err == nil || !strings.Contains(err.Error(), "there is no file") {
		t.Errorf("no file: %v", err)
	}
}

func TestDomainRulesAreShown(t *testing.T) {
	c, err := loadDomains(t, hostOf, map[string]string{"b.example": "[[rule]]\nname = \"x\"\nwhen = [\"spam/*\"]\naction = \"deliver\"\n"})
	if err != nil {
		t.Fatal(err)
	}
	named := func(r policy.Rule) bool {
		return r.Ref.Name == "b.example: x" && filepath.Base(r.Ref.File) == "b.example.toml" && r.Ref.Line == 1
	}
	if rules := c.Effective().Rules; !slices.ContainsFunc(rules, named) {
		t.Errorf("the rule is not among %v", rules)
	}
}
