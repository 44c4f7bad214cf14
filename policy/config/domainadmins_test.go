package config

import (
	"strings"
	"testing"
)

// TestDomainAdmins: what is left to administrators of domains has names that are known, and is not left without
// what it rests on.
func TestDomainAdmins(t *testing.T) {
	for _, c := range []struct{ may, want string }{
		{`["messages", "quarantine", "content", "release", "delete", "lists", "requests", "people", "settings", "export", "api"]`, ""},
		{`[]`, ""},
		{`["messages"]`, ""},
		{`["lists", "people"]`, ""},
		{`["mesages"]`, `people.domain_admins.may[0]: "mesages"`},
		{`["messages", "release"]`, `people.domain_admins.may[1]: "release" is of no use without "quarantine"; write both, or neither`},
		{`["settings"]`, `people.domain_admins.may[0]: "settings" is of no use without "people"`},
		{`["messages", "quarantine", "requests"]`, `people.domain_admins.may[2]: "requests" is of no use without "release"`},
		{`"messages"`, `people.domain_admins.may`},
	} {
		path := write(t, map[string]string{"milterscan.toml": "[milter]\nlisten = [\"unix:/m\"]\n[people.domain_admins]\nmay = " + c.may + "\n"})
		_, err := Load(path)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), ":4: "+c.want) {
			t.Errorf("%s: %v", c.may, err)
		}
	}
	for _, word := range defaultDomainAdmins().May {
		if on := RestsOn(word); on != "" && (DomainAdmins{May: []string{word}}).Check() == nil {
			t.Errorf("%q goes without %q", word, on)
		}
	}
	if err := defaultDomainAdmins().Check(); err != nil {
		t.Error(err)
	}
}
