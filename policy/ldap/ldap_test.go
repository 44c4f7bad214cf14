package ldap

import (
	"testing"

	"github.com/go-ldap/ldap/v3"
)

func TestFoldDN(t *testing.T) {
	want := FoldDN("cn=ann smith,ou=people,dc=example,dc=com")
	for _, s := range []string{"CN=Ann Smith,OU=People,DC=Example,DC=COM", "cn=Ann Smith, ou=People, dc=example, dc=com", " cn=ann smith,ou=people,dc=example,dc=com "} {
		if got := FoldDN(s); got != want {
			t.Errorf("%q is %q, want %q", s, got, want)
		}
	}
	for _, s := range []string{"ann@example.com", "", "=", "Finance"} {
		FoldDN(s) // is no name of an entry, and nothing else happens
	}
	if FoldDN("cn=a\\,b,dc=x") == FoldDN("cn=a,cn=b,dc=x") {
		t.Error("an escaped comma is one")
	}
}

// TestRanges: the rest of the values of an attribute is asked for where the server says that there is one.
func TestRanges(t *testing.T) {
	for options, want := range map[string]int{"": 0, "binary": 0, "range=0-1499": 1500, "range=1500-*": 0, "binary;range=0-1": 2} {
		e := Entry{values: map[string][]string{}}
		name, rest, err := e.add(&ldap.EntryAttribute{Name: "Member;" + options, Values: []string{"x"}})
		if name != "member" || rest != want || err != nil || len(e.Values("MEMBER")) != 1 {
			t.Errorf("%q: %q, %d, %v; want %d", options, name, rest, err, want)
		}
	}
	for _, options := range []string{"range=x-y", "range=5-2", "range=", "range=0-"} {
		if _, err := restOf(options); err == nil {
			t.Errorf("%q is a range", options)
		}
	}
}
