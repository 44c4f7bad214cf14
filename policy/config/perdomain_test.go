package config

import (
	"fmt"
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
	c, err := Load(filepath.Join(dir, "milterscan.toml"))
	if err == nil {
		err = c.SetAside()
	}
	return c, err
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

// TestDomainsOverride has domains decide before the host where it lets them, and
// about nothing else.
func TestDomainsOverride(t *testing.T) {
	const host = `
[local]
domains = ["a.example", "b.example"]
[per_domain]
dir = "domains.d"
findings = ["*/*", "infected", "unscannable"]
before = [%s]
[[rule]]
name = "enemy"
from = ["enemy@elsewhere.example"]
action = "reject"
[[rule]]
name = "bad"
when = ["infected", "unscannable", "forbidden", "content/*"]
action = "reject"
[[rule]]
name = "spam"
when = ["score >= 5", "spam/bad"]
action = "quarantine"
`
	const own = `
[[rule]]
name = "low"
when = ["score < 9"]
action = "deliver"
tag = "{Ours}"
[[rule]]
name = "high"
when = ["score >= 9"]
action = "discard"
[[rule]]
name = "found"
when = ["spam/*", "auth/*"]
action = "deliver"
[[rule]]
name = "attachments"
when = ["attachment/*"]
action = "deliver"
[[rule]]
name = "viruses"
when = ["virus/*", "infected"]
action = "deliver"
`
	spam := func(score float64) scan.Finding {
		return scan.Finding{Kind: scan.Suspicious, Scanner: "spam", Rule: "spam/bad", Part: -1, Score: score}
	}
	virus := scan.Finding{Kind: scan.Infected, Scanner: "virus", Rule: "virus/x", Part: -1}
	named := scan.Finding{Kind: scan.Infected, Scanner: "spam", Rule: "spam/virus", Part: -1}
	closed := scan.Finding{Kind: scan.Unscannable, Scanner: "attachment", Rule: "attachment/encrypted", Part: -1}
	program := scan.Finding{Kind: scan.Forbidden, Scanner: "attachment", Rule: "attachment/name", Part: -1}
	word := scan.Finding{Kind: scan.Suspicious, Scanner: "content", Rule: "content/list-x", Part: -1}
	for _, c := range []struct {
		before, from, to string
		found            []scan.Finding
		want             string
	}{
		{`"spam/*", "auth/*"`, "x", "u@a.example", []scan.Finding{spam(6)}, "deliver"},
		{`"spam/*", "auth/*"`, "x", "u@a.example", []scan.Finding{spam(9)}, "discard"},
		{`"spam/*", "auth/*"`, "x", "u@b.example", []scan.Finding{spam(6)}, "quarantine"},
		{`"spam/*", "auth/*"`, "enemy", "u@a.example", nil, "reject"},
		{`"spam/*", "auth/*"`, "enemy", "u@a.example", []scan.Finding{spam(6)}, "reject"},
		{`"spam/*", "auth/*"`, "x", "u@a.example", []scan.Finding{spam(6), virus}, "reject"},
		{`"spam/*", "auth/*"`, "x", "u@a.example", []scan.Finding{named}, "reject"},
		{`"spam/*", "auth/*"`, "x", "u@a.example", []scan.Finding{program}, "reject"},
		{`"spam/*", "auth/*"`, "x", "u@a.example", []scan.Finding{word}, "reject"},
		{`"spam/*"`, "x", "u@a.example", []scan.Finding{spam(6)}, "quarantine"}, // of the two, "found" is about more than that
		{`"attachment/*"`, "x", "u@a.example", []scan.Finding{program}, "deliver"},
		{`"attachment/*"`, "x", "u@a.example", []scan.Finding{closed}, "reject"},
		{`"attachment/*", "unscannable"`, "x", "u@a.example", []scan.Finding{closed}, "deliver"},
		{`"virus/*", "attachment/*"`, "x", "u@a.example", []scan.Finding{virus}, "reject"},
		{`"virus/*", "infected"`, "x", "u@a.example", []scan.Finding{virus}, "deliver"},
		{`"*/*"`, "x", "u@a.example", []scan.Finding{virus}, "reject"},
		{`"*/*"`, "enemy", "u@a.example", nil, "deliver"},
		{"", "x", "u@a.example", []scan.Finding{spam(6)}, "quarantine"},
	} {
		cfg, err := loadDomains(t, fmt.Sprintf(host, c.before), map[string]string{"a.example": own})
		if err != nil {
			t.Fatal(err)
		}
		p, err := cfg.Policy()
		if err != nil {
			t.Fatal(err)
		}
		env := scan.Envelope{Sender: c.from + "@elsewhere.example", Recipients: []string{c.to}}
		if d := p.Decide(policy.Input{Stage: scan.StageMessage, Envelope: env, Found: c.found}); d.Action() != c.want {
			t.Errorf("before = [%s], from %s to %s, %+v: %s by %s, want %s", c.before, c.from, c.to, c.found, d.Action(), d.Rule, c.want)
		}
	}
	for before, want := range map[string]string{
		`"score >= 5"`: `write "spam/*", which is for the score, too`,
		`"dns/*"`:      "before[0]: dns/* is not among the findings that domains may decide about",
	} {
		host := strings.Replace(fmt.Sprintf(host, before), `"*/*", `, `"spam/*", `, 1)
		if _, err := loadDomains(t, host, map[string]string{"a.example": ""}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("before = [%s]: %v, want %q", before, err, want)
		}
	}
}

// TestOneDomainsFileIsSetAside leaves out the one file that has an error, whatever it
// is, with the rules and tests that need it, and nothing else.
func TestOneDomainsFileIsSetAside(t *testing.T) {
	good := "[[rule]]\nname = \"low\"\nwhen = [\"attachment/*\"]\naction = \"deliver\"\n"
	mail := filepath.Join(t.TempDir(), "m.eml")
	if err := os.WriteFile(mail, []byte("\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := fmt.Sprintf("[[test]]\nmail = %q\nexpect = \"deliver\"\nrule = \"a.example: low\"\n[[test]]\nmail = %[1]q\nexpect = \"deliver\"\nto = [\"u@A.example\"]\n"+
		"[[test]]\nmail = %[1]q\nexpect = \"deliver\"\nrule = \"b.example: low\"\nto = [\"u@b.example\"]\n", mail)
	for name, bad := range map[string]string{
		"syntax":             "[[rule",
		"an unknown key":     "no_such_key = 1\n",
		"a value":            "off = 3\n",
		"what is not theirs": "off = [\"virus\"]\n",
		"a contradiction":    "[[rule]]\nwhen = [\"spam/*\"]\naction = \"reject\"\ntag = \"x\"\n",
		"one name twice":     good + good,
		"a missing list":     "[[rule]]\nwhen = [\"spam/*\"]\naction = \"reject\"\nfrom = [\"file:no-such-list\"]\n",
		"any part":           "[[rule]]\npart = [\"*\"]\naction = \"tempfail\"\n",
	} {
		c, err := loadDomains(t, hostOf+tests, map[string]string{"a.example": bad, "b.example": good})
		if c == nil || err == nil || strings.Contains(err.Error(), "b.example.toml") || !strings.Contains(err.Error(), "a.example.toml") {
			t.Errorf("%s: %v", name, err)
			continue
		}
		program := scan.Finding{Kind: scan.Forbidden, Scanner: "attachment", Rule: "attachment/name", Part: -1}
		if a, b := decided(t, c, "u@a.example", "", program), decided(t, c, "u@b.example", "", program); a.Action() != "reject" || b.Action() != "deliver" {
			t.Errorf("%s: %s to the domain, %s to the other", name, a.Action(), b.Action())
		}
		if left := c.Runnable(); len(c.Tests) != 3 || len(left) != 1 || left[0].Rule != "b.example: low" {
			t.Errorf("%s: tests %+v", name, left)
		}
	}
	_, err := loadDomains(t, hostOf+"no_such_section = 1\n", map[string]string{"a.example": "no_such_key = 1\n"})
	if err == nil || !strings.Contains(err.Error(), "no_such_section") || !strings.Contains(err.Error(), "no_such_key") {
		t.Errorf("not all is told at once: %v", err)
	}
}

// TestPartsOfDomains lets no virus through because of the name of its file.
func TestPartsOfDomains(t *testing.T) {
	text := "[[rule]]\npart = [\"*.doc\"]\naction = \"deliver\"\n"
	c, err := loadDomains(t, hostOf, map[string]string{"a.example": text})
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Policy()
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[scan.Kind]policy.Answer{scan.Infected: policy.Reject, scan.Failed: policy.Tempfail, scan.Forbidden: policy.Deliver} {
		rule := map[scan.Kind]string{scan.Infected: "virus/x", scan.Failed: "virus/failed/clamd", scan.Forbidden: "attachment/name"}[kind]
		d := p.Decide(policy.Input{
			Stage: scan.StageMessage, Envelope: scan.Envelope{Sender: "x@elsewhere.example", Recipients: []string{"u@a.example"}},
			Parts: []scan.Part{{Parent: -1, Path: "1", Names: []string{"a.doc"}}}, Found: []scan.Finding{{Kind: kind, Rule: rule, Part: 0}},
		})
		if d.Answer != want {
			t.Errorf("%s: %s, want %s", rule, d.Answer, want)
		}
	}
	host := strings.Replace(hostOf, "dir =", "findings = [\"spam/*\"]\ndir =", 1)
	if _, err := loadDomains(t, host, map[string]string{"a.example": text}); err == nil || !strings.Contains(err.Error(), "does not let domains decide about attachment/*") {
		t.Errorf("parts where attachments are the host's: %v", err)
	}
}
