package directory

import (
	"strings"
	"testing"
)

// TestProxyAddresses: only mail counts.
func TestProxyAddresses(t *testing.T) {
	for value, want := range map[string]string{
		"smtp:ann@example.com": "ann@example.com", "SMTP:ann@example.com": "ann@example.com main", "sMtP: ann@example.com ": "ann@example.com",
		"X400:c=US;a= ;p=Example;": "", "sip:ann@example.com": "", "x500:/o=Example/cn=ann@example.com": "", "ann@example.com": "ann@example.com", "smtp:": "", "": "",
	} {
		got, main := proxyAddress(value)
		if main {
			got += " main"
		}
		if got != want {
			t.Errorf("%q is %q, want %q", value, got, want)
		}
	}
}

// TestNestedGroups: an entry is in the groups of its groups, and a circle of them ends.
func TestNestedGroups(t *testing.T) {
	n := nesting{
		"cn=ann,dc=x": {"cn=a,dc=x"}, "cn=a,dc=x": {"cn=b,dc=x", "cn=a,dc=x"}, "cn=b,dc=x": {"cn=c,dc=x"}, "cn=c,dc=x": {"cn=a,dc=x"},
	}
	for about, c := range map[string]struct {
		name string
		own  []string
		want string
	}{
		"by the group":         {"cn=ann,dc=x", nil, "cn=a,dc=x cn=b,dc=x cn=c,dc=x"},
		"by the person":        {"cn=bob,dc=x", []string{"CN=B, DC=x"}, "cn=b,dc=x cn=c,dc=x cn=a,dc=x"},
		"by neither":           {"cn=cy,dc=x", nil, ""},
		"a name, not an entry": {"cn=dee,dc=x", []string{"Finance"}, "finance"},
	} {
		if got := strings.Join(n.all(c.name, c.own), " "); got != c.want {
			t.Errorf("%s: %q, want %q", about, got, c.want)
		}
	}
}
