package sendmail

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// place writes a file for a test and returns its path.
func place(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

const cf = `#####  $Id: promiscuous_relay.m4,v 8.13 2013-11-22 20:51:11 ca Exp $  #####
#####  $Id: relay_entire_domain.m4,v 8.11 2013-11-22 20:51:11 ca Exp $  #####
#####  $Id: relay_based_on_MX.m4,v 8.12 2013-11-22 20:51:11 ca Exp $  #####
Kaccess hash -T<TMPF> -o %s
O MaxMessageSize=20000000
O InputMailFilters=milterscan, opendkim
Xopendkim, S=inet:8891@localhost
Xmilterscan, S=unix:/run/m, F=T, T=S:30s;R:1m;E:300
Xunused, S=unix:/run/u
`

// TestRead reads what is in a sendmail.cf, and nothing from one that cannot be read.
func TestRead(t *testing.T) {
	c, err := Read(place(t, "sendmail.cf", fmt.Sprintf(cf, "/etc/mail/access.db"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	for _, f := range c.Asked() {
		asked = append(asked, f.Name+" "+f.Socket+" "+f.Failure+" "+f.Times['E'].String())
	}
	got := fmt.Sprint(asked, c.Options["MaxMessageSize"], c.Access, c.Relays)
	want := "[milterscan unix:/run/m T 5m0s opendkim inet:8891@localhost  5m0s]20000000/etc/mail/access[promiscuous_relay relay_based_on_MX]"
	if got != want {
		t.Errorf("%s, not\n%s", got, want)
	}
	if _, err := Read(t.TempDir()); err == nil {
		t.Error("a directory was read")
	}
	if _, err := Read(place(t, "long.cf", strings.Repeat("x", 1<<20), 0o600)); err == nil {
		t.Error("a line of a megabyte was read")
	}
}

// speaking returns a Sendmail that answers in its mode for trying addresses.
func speaking(t *testing.T, out string) string {
	t.Helper()
	return place(t, "sendmail", "#!/bin/sh\ncat >/dev/null\ncat <<'END'\n"+out+"END\n", 0o700)
}

// TestList lists classes and the access map, and says what it cannot list.
func TestList(t *testing.T) {
	const begin = "ADDRESS TEST MODE (ruleset 3 NOT automatically invoked)\nEnter <ruleset> <address>\n"
	const rules = `# comment
Connect:198.51.100	RELAY
Connect:IPv6:2001:db8::1	RELAY
To:To.example	RELAY
both.example	RELAY
203.0.113.9	RELAY
Connect:host.example	RELAY
From:liar.example	RELAY
someone@x.example	RELAY
spam.example	REJECT
`
	for name, c := range map[string]struct {
		out, access, want string
		fails             bool
	}{
		"all": {begin + "> localhost\n[192.0.2.2]\na.example\n> r.example\n.sub.example\n10\n192.168.1\n> virt.example\n> > ", "",
			"[localhost a.example r.example .r.example .sub.example virt.example] [127.0.0.0/8 ::1 10.0.0.0/8 192.168.1.0/24] [] []", false},
		"none": {begin + "> > > > > ", "", "[] [127.0.0.0/8 ::1] [] []", false},
		"access": {begin + "> > > > > ", rules,
			"[to.example .to.example both.example .both.example] [127.0.0.0/8 ::1 198.51.100.0/24 2001:db8::1 203.0.113.9/32] [] [Connect:host.example in the access map, which is no network]", false},
		"cut short": {begin + "> localhost\n", "", "", true},
		"nothing":   {"", "", "", true},
	} {
		access := place(t, "access", c.access, 0o600)
		conf, err := Read(place(t, "sendmail.cf", "Kaccess hash -T<TMPF> "+access+"\n", 0o600))
		if err != nil {
			t.Fatal(err)
		}
		l, err := conf.List(t.Context(), speaking(t, c.out), "sendmail.cf")
		got := fmt.Sprint(l.Domains, l.Networks, l.MoreDomains, l.MoreClients)
		if (err != nil) != c.fails || err == nil && got != c.want {
			t.Errorf("%s: %s, %v; not\n%s", name, got, err, c.want)
		}
	}
	loose, err := Read(place(t, "sendmail.cf", fmt.Sprintf(cf, "/nowhere/access"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	l, err := loose.List(t.Context(), speaking(t, begin+"> > > > > "), "sendmail.cf")
	if got := fmt.Sprint(l.MoreDomains, l.MoreClients); err != nil || got != "[FEATURE(relay_based_on_MX)] [FEATURE(promiscuous_relay)]" {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := loose.List(t.Context(), filepath.Join(t.TempDir(), "sendmail"), "sendmail.cf"); err == nil {
		t.Error("a program that is not there has answered")
	}
}
