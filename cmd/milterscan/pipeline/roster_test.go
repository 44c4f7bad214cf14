package pipeline

import (
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/scorer"
)

// everything switches on every scanner of the roster.
const everything = `
[dns]
servers = ["127.0.0.1:53"]
[auth]
spf = true
[relay]
helo = true
[greylist]
enabled = true
[contact]
enabled = true
[bounce]
keys = "/nowhere/keys"
[local]
domains = ["example.com"]
[[people.source]]
name = "staff"
type = "csv"
file = "/nowhere/people.csv"
domains = ["example.com"]
[spam.spamassassin]
address = ["tcp:127.0.0.1:783"]
[spam.rspamd]
address = ["http://127.0.0.1:11333"]
[[spam.list]]
name = "bl"
zone = "bl.example"
lookup = "client"
answers = ["127.0.0.2"]
[[rate.limit]]
name = "all"
by = "sender"
recipients = 10
per = "1h"
[[feed]]
name = "hosts"
url = "https://lists.example.com/hosts"
kind = "hosts"
[[feed]]
name = "networks"
url = "https://lists.example.com/networks"
kind = "networks"
`

// TestRoster makes every scanner of the roster: each row has a section of the
// configuration and findings of its own, and only those that look at the sender
// are asked before the message is there.
func TestRoster(t *testing.T) {
	c := loaded(t, everything)
	with := NewShared(c)
	t.Cleanup(with.Workers.Close)
	with.Live = true
	rules, err := c.Policy()
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(c, with, rules)
	of := map[string]string{} // finding to section
	for _, row := range roster() {
		if !hasSection(c, row.section) {
			t.Errorf("there is no section [%s]", row.section)
		}
		made, err := row.make(s)
		if err != nil || len(made) == 0 {
			t.Errorf("%s: made %d scanners, %v", row.section, len(made), err)
		}
		for _, m := range made {
			if row.looks == contents && isEarly(m) {
				t.Errorf("%s: %s looks at contents and wants to be asked before them", row.section, m.Name())
			}
		}
		finds := row.finds()
		if len(finds) == 0 {
			t.Errorf("%s finds nothing", row.section)
		}
		for _, f := range finds {
			if other, ok := of[f.Name]; ok && !strings.HasSuffix(f.Name, "/failed/*") && f.Name != scorer.RuleTooLarge { // which all scorers share
				t.Errorf("%s is found by %s and %s", f.Name, other, row.section)
			}
			of[f.Name] = row.section
		}
	}
}

// hasSection reports whether the configuration has values below a section.
func hasSection(c *config.Config, section string) bool {
	for _, s := range c.Effective().Settings {
		if rest, ok := strings.CutPrefix(s.Key, section); ok && rest != "" && (rest[0] == '.' || rest[0] == '[') {
			return true
		}
	}
	return false
}

// TestEarlyFindings holds what is announced for the early stages to the scanners
// that are asked there.
func TestEarlyFindings(t *testing.T) {
	c := loaded(t, everything)
	with := NewShared(c)
	t.Cleanup(with.Workers.Close)
	with.Live = true
	rules, err := c.Policy()
	if err != nil {
		t.Fatal(err)
	}
	all, err := newSite(c, with, rules).scanners()
	if err != nil {
		t.Fatal(err)
	}
	has := func(word string) bool {
		for _, f := range all.early {
			if strings.HasPrefix(f.Name, word+"/") {
				return true
			}
		}
		return false
	}
	for _, s := range all.sender {
		word, _, _ := strings.Cut(s.Name(), "/")
		if _, early := s.(scan.EnvelopeScanner); early && !has(word) {
			t.Errorf("nothing of %s is announced", s.Name())
		}
	}
	if has("virus") || has("attachment") {
		t.Error("what only contents show is announced")
	}
}
