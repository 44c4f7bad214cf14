package postfix

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// listed is a configuration as postconf shows it, with a postmap that knows one table.
func listed(t *testing.T, main string) *Config {
	t.Helper()
	c := reading(t, main, services, "")
	const postmap = "#!/bin/sh\n[ \"$2\" = hash:/etc/t ] || { echo 'postmap: fatal: open /x.db: No such file or directory' >&2; exit 1; }\n" +
		"printf 'virtual.example\\tok\\nuser@virtual.example\\troot\\nroot\\talice\\nVirtual.example\\tok\\n'\n"
	if err := os.WriteFile(filepath.Join(filepath.Dir(c.tool.Postconf), "postmap"), []byte(postmap), 0o700); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestDomains lists what main.cf names, in all the ways in which it may.
func TestDomains(t *testing.T) {
	file := filepath.Join(t.TempDir(), "names")
	if err := os.WriteFile(file, []byte("# ours\nfile.example\n hash:/etc/t\n\nsecond.example third.example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ main, names, unlisted string }{
		"plain":     {"mydestination = A.example, localhost b.example.,\tc.example", "a.example localhost b.example c.example", ""},
		"nothing":   {"mydestination =", "", ""},
		"literal":   {"mydestination = [192.0.2.1], a.example", "a.example", ""},
		"table":     {"virtual_alias_domains = proxy:hash:/etc/t", "virtual.example", ""},
		"file":      {"virtual_mailbox_domains = " + file, "file.example virtual.example second.example third.example", ""},
		"relayed":   {"relay_domains = a.example .b.example\nparent_domain_matches_subdomains = mynetworks,relay_domains", "a.example .b.example .a.example", ""},
		"no parent": {"relay_domains = a.example\nparent_domain_matches_subdomains = mynetworks", "a.example", ""},
		"database":  {"virtual_mailbox_domains = mysql:/etc/m.cf, a.example", "a.example", "virtual_mailbox_domains: mysql:/etc/m.cf"},
		"no table":  {"relay_domains = hash:/etc/gone", "", "open /x.db: No such file"},
		"no file":   {"relay_domains = /nowhere/names", "", "/nowhere/names: no such file"},
		"exception": {"mydestination = !x.example, a.example", "a.example", "mydestination: !x.example"},
		"anything":  {"relay_domains = static:all", "", "relay_domains: static:all"},
	} {
		l := listed(t, c.main+"\n").Domains(t.Context())
		if got, missed := strings.Join(l.Names, " "), strings.Join(l.Unlisted, "; "); got != c.names || (missed != "") != (c.unlisted != "") || !strings.Contains(missed, c.unlisted) {
			t.Errorf("%s: %q without %q", name, got, missed)
		}
	}
}

// TestManyDomains lists ten thousand.
func TestManyDomains(t *testing.T) {
	var all strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&all, "d%d.example\n", i)
	}
	file := filepath.Join(t.TempDir(), "names")
	if err := os.WriteFile(file, []byte(all.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if l := listed(t, "relay_domains = "+file+"\n").Domains(t.Context()); len(l.Names) != 10_000 || len(l.Unlisted) > 0 {
		t.Errorf("%d domains without %q", len(l.Names), l.Unlisted)
	}
}

// TestFileInItself ends, and says that not all was read.
func TestFileInItself(t *testing.T) {
	file := filepath.Join(t.TempDir(), "names")
	if err := os.WriteFile(file, []byte("a.example "+file+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if l := listed(t, "relay_domains = "+file+"\n").Domains(t.Context()); len(l.Names) != 1 || len(l.Unlisted) != 1 {
		t.Errorf("%+v", l)
	}
}

// TestNetworks writes networks as milterscan reads them.
func TestNetworks(t *testing.T) {
	l := listed(t, "mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128, 192.0.2.7, 192.0.2.9/24 cidr:/etc/n !10.0.0.1 0.0.0.0/0 mx.example [2001:db8::]/32\n").Networks()
	if got := strings.Join(l.Names, " "); got != "127.0.0.0/8 ::1/128 192.0.2.7/32 192.0.2.0/24 2001:db8::/32" {
		t.Error(got)
	}
	if got := strings.Join(l.Unlisted, " "); got != "mynetworks: cidr:/etc/n mynetworks: !10.0.0.1 mynetworks: 0.0.0.0/0 mynetworks: mx.example" {
		t.Error(got)
	}
}

// TestInstances takes those that are enabled.
func TestInstances(t *testing.T) {
	dir := t.TempDir()
	const postmulti = "#!/bin/sh\ncat <<'END'\n-               -               y         /etc/postfix\npostfix-out     mta             y         /etc/postfix-out\nold - n /etc/postfix-old\nEND\n"
	if err := os.WriteFile(filepath.Join(dir, "postmulti"), []byte(postmulti), 0o700); err != nil {
		t.Fatal(err)
	}
	if dirs, err := Instances(t.Context(), filepath.Join(dir, "postconf")); err != nil || strings.Join(dirs, " ") != "/etc/postfix /etc/postfix-out" {
		t.Errorf("%q, %v", dirs, err)
	}
}
