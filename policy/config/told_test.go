package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Those whom a message concerns can be told where it is known which addresses are ours.
func TestWhoIsTold(t *testing.T) {
	const domains, rule = "[local]\ndomains = [\"example.com\"]\n", "[[rule]]\nname = \"r\"\nwhen = [\"infected\"]\naction = \"quarantine\"\nnotify = "
	for text, want := range map[string]string{
		domains + rule + "[\"recipients\"]\n":                                "",
		domains + rule + "[\"sender-if-internal\", \"admin@example.net\"]\n": "",
		domains + rule + "[\"recipient\"]\n":                                 `rule[0].notify[0]: "recipient" is no address; write "user@example.com", "recipients" or "sender-if-internal"`,
		domains + rule + "[\"Recipients\"]\n":                                `"Recipients" is no address`,
		domains + "[[rule]]\nname = \"r\"\nwhen = [\"infected\"]\naction = \"deliver\"\nnotify = [\"recipients\"]\n": `"recipients" hear only of messages that do not arrive`,
		domains + "[[rule]]\nname = \"r\"\naction = \"deliver\"\ncopy = [\"recipients\"]\n":                          `"recipients" is no address; write "user@example.com"`,
		rule + "[\"recipients\"]\n":         `rule.notify: "recipients" is for addresses of your own domains only, and none are named; write them into [local] domains`,
		rule + "[\"sender-if-internal\"]\n": `"sender-if-internal" is for addresses of your own domains only`,
		rule + "[\"admin@example.net\"]\n":  "",
		"[[rule]]\nname = \"r\"\nwhen = [\"attachment/*\"]\naction = \"deliver\"\nedit = \"clean\"\n[rule.else]\naction = \"reject\"\nnotify = [\"recipients\"]\n": "is for addresses of your own domains only",
	} {
		file := filepath.Join(t.TempDir(), "m.toml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Load(file)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// The file of a domain that asks for it alone is left out.
func TestWhoIsToldByDomains(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "d"), 0o700); err != nil {
		t.Fatal(err)
	}
	write("d/example.com.toml", "[[rule]]\nname = \"r\"\nwhen = [\"attachment/*\"]\naction = \"quarantine\"\nnotify = [\"recipients\"]\n")
	for local, want := range map[string]string{"[local]\ndomains = [\"example.com\"]\n": "", "": "write them into [local] domains"} {
		write("m.toml", local+"[per_domain]\ndir = \"d\"\nkeys = [\"when\", \"action\", \"notify\"]\n")
		c, err := Load(filepath.Join(dir, "m.toml"))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.SetAside(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", local, err)
		}
	}
}
