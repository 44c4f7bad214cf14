package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
)

// catalogueOfAppeals are the findings there are in these tests.
var catalogueOfAppeals = []scan.Rule{{Name: "virus/x", Kind: scan.Infected}, {Name: "spam/list", Kind: scan.Note}, {Name: "spam/failed", Kind: scan.Failed},
	{Name: "attachment/name", Kind: scan.Forbidden}, {Name: "archive/encrypted-member", Kind: scan.Unscannable}, {Name: "recipient/unknown", Kind: scan.Suspicious}}

// TestAppealsAreChecked: what can never give a link, and what would give away too much, is
// an error that says what to do.
func TestAppealsAreChecked(t *testing.T) {
	const pages = "[console]\nlisten = [\"tcp:127.0.0.1:1\"]\nurl = \"https://mx.example.com\"\n"
	rule := func(rest string) string { return "[[rule]]\nname = \"r\"\nappeal = true\n" + rest + "\n" }
	for _, c := range []struct{ text, want string }{
		{pages + rule("action = \"reject\"\nwhen = [\"spam/*\"]"), ""},
		{pages + rule("action = \"reject\"\nwhen = [\"score >= 5\"]"), ""},
		{pages + rule("action = \"reject\"\nfrom = [\"@example.net\"]"), ""},
		{pages + rule("action = \"reject\"\nwhen = [\"infected\", \"spam/list\"]"), ""},
		{pages + rule("action = \"deliver\"\nwhen = [\"attachment/name\"]\nedit = \"clean\"\nelse = { action = \"reject\" }"), "this rule answers with deliver"},
		{pages + rule("action = \"quarantine\"\nwhen = [\"spam/*\"]"), "leave appeal out, or let it reject"},
		{pages + rule("action = \"tempfail\"\nwhen = [\"spam/*\"]"), "leave appeal out, or let it reject"},
		{pages + rule("when = [\"spam/*\"]"), "leave appeal out, or let it reject"},
		{pages + rule("action = \"reject\"\nwhen = [\"infected\"]"), "no appeal is heard against what is infected; leave appeal out"},
		{pages + rule("action = \"reject\"\nwhen = [\"virus/*\"]"), "against what is infected"},
		{pages + rule("action = \"reject\"\nwhen = [\"spam/failed\"]"), "against what is failed"},
		{pages + rule("action = \"reject\"\nwhen = [\"attachment/*\"]"), "against what is forbidden; leave appeal out, or add the class to people.appeal.classes"},
		{pages + "[people.appeal]\nclasses = [\"forbidden\"]\n" + rule("action = \"reject\"\nwhen = [\"attachment/*\"]"), ""},
		{pages + "[people.appeal]\nclasses = [\"infected\"]\n" + rule("action = \"reject\"\nwhen = [\"spam/*\"]"), "people.appeal.classes[0]"},
		{pages + "[people.appeal]\nclasses = [\"failed\"]\n", "people.appeal.classes[0]"},
		{pages + rule("action = \"reject\"\nwhen = [\"recipient/unknown\"]"), "which addresses exist"},
		{pages + rule("action = \"reject\"\nwhen = [\"recipient/*\"]"), "which addresses exist"},
		{pages + rule("action = \"reject\"\nwhen = [\"spam/*\"]\nunless = [\"recipient/unknown\"]"), "which addresses exist"},
		{pages + rule("action = \"reject\"\nwhen = [\"spam/*\"]\nrequires = [\"recipient/unknown\"]"), "which addresses exist"},
		{rule("action = \"reject\"\nwhen = [\"spam/*\"]"), "set console.listen and console.url"},
		{"[console]\nlisten = [\"tcp:127.0.0.1:1\"]\n" + rule("action = \"reject\"\nwhen = [\"spam/*\"]"), "set console.url to the address that senders reach"},
		{"[console]\nlisten = [\"tcp:127.0.0.1:1\"]\nurl = \"https://" + strings.Repeat("a.", 60) + "example.com\"\n" + rule("action = \"reject\"\nwhen = [\"spam/*\"]"), "at most 120 characters"},
		{"[people.appeal]\nkeep = \"0s\"\n", "people.appeal.keep"},
		{"[people.appeal]\nsize = \"0B\"\n", "people.appeal.size"},
	} {
		file := filepath.Join(t.TempDir(), "m.toml")
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		loaded, err := Load(file)
		if err == nil {
			err = loaded.Contradictions(catalogueOfAppeals)
		}
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.text, err, c.want)
		}
	}
}

// TestClassesOfTheHost: rules hear appeals of what the host hears, and a rule without none.
func TestClassesOfTheHost(t *testing.T) {
	file := filepath.Join(t.TempDir(), "m.toml")
	text := `[console]
listen = ["tcp:127.0.0.1:1"]
url = "https://mx.example.com"
[people.appeal]
classes = ["note", "forbidden"]
[[rule]]
name = "open"
when = ["spam/*"]
action = "reject"
appeal = true
[[rule]]
name = "else"
when = ["attachment/*"]
action = "deliver"
edit = "clean"
else = { action = "reject", appeal = true }
[[rule]]
name = "closed"
when = ["content/*"]
action = "reject"
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(file)
	if err != nil || !c.Appeals() || Default().Appeals() {
		t.Fatal(err, c.Appeals())
	}
	rules, err := c.AllRules()
	if err != nil {
		t.Fatal(err)
	}
	open := map[string]string{}
	for _, r := range rules {
		for o := &r.Outcome; o != nil; o = o.Else {
			if len(o.Appeal) > 0 {
				open[r.Ref.Name] = strings.Join(o.Appeal, " ")
			}
		}
	}
	if len(open) != 2 || open["open"] != "note forbidden" || open["else"] != "note forbidden" {
		t.Errorf("%v", open)
	}
	for _, class := range c.People.Appeal.Classes {
		if class == policy.ByPolicy {
			t.Error(class)
		}
	}
}
