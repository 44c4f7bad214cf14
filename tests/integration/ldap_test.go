package integration

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/ldap"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan/units"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// consoleEntries has persons of all roles and of none, and names that would be something else in a filter.
func consoleEntries() string {
	var b strings.Builder
	person := func(uid, more string) {
		fmt.Fprintf(&b, "dn: cn=%[1]s,dc=example,dc=com\nobjectClass: inetOrgPerson\ncn: %[1]s\nsn: x\nuid: %[1]s\nuserPassword: secret of %[1]s\n%[2]s\n", uid, more)
	}
	person("ann", "mail: ann@example.com\n")
	person("bob", "mail: bob@example.com\n")
	person("carl", "")
	person("dora", "")
	person("eve", "uid: two\n")
	for group, member := range map[string]string{"admins": "ann", "help": "bob", "customers": "dora"} {
		fmt.Fprintf(&b, "dn: cn=%[1]s,dc=example,dc=com\nobjectClass: groupOfNames\ncn: %[1]s\nmember: cn=%[2]s,dc=example,dc=com\n\n", group, member)
	}
	b.WriteString("dn: cn=late,dc=example,dc=com\nobjectClass: groupOfNames\ncn: late\nmember: cn=eve,dc=example,dc=com\n\n")
	return b.String()
}

func TestDirectoryLetsIn(t *testing.T) {
	needServers(t)
	s := servers.StartSlapd(t, consoleEntries())
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(servers.SlapdPassword+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	base := config.LDAP{URL: "ldap://" + s.Addr, StartTLS: true, CAFile: s.CA, BindDN: servers.SlapdAdmin, PasswordFile: config.SecretFile(password),
		Base: "dc=example,dc=com", Filter: "(|(uid=%s)(mail=%s))", Name: "uid", Groups: "memberOf", Timeout: units.Duration(10 * time.Second),
		Roles: map[string][]string{"administrator": {"CN=Admins,DC=example,DC=com"}, "helpdesk": {"cn=help,dc=example,dc=com"},
			"domain": {"cn=customers,dc=example,dc=com"}, "auditor": {"cn=late,dc=example,dc=com"}},
		Domains: map[string][]string{"cn=customers,dc=example,dc=com": {"example.com"}}}
	ldaps, grouped, plain, stranger, nobody := base, base, base, base, base
	ldaps.URL = "ldaps://" + s.Secure
	grouped.Groups, grouped.GroupBase, grouped.GroupFilter = "", "dc=example,dc=com", "(&(objectClass=groupOfNames)(member=%s))"
	plain.StartTLS = false
	stranger.CAFile = ""
	nobody.BindDN, nobody.PasswordFile = "", ""
	for _, c := range []struct {
		about          string
		config         config.LDAP
		name, password string
		want           string
		err            error // nil and no want: any other
	}{
		{"by StartTLS", base, "ann", "secret of ann", "ann administrator []", nil},
		{"by ldaps", ldaps, "Ann", "secret of ann", "ann administrator []", nil},
		{"groups that are looked for", grouped, "bob", "secret of bob", "bob helpdesk []", nil},
		{"by another attribute", base, "bob@example.com", "secret of bob", "bob helpdesk []", nil},
		{"a domain administrator", base, "dora", "secret of dora", "dora domain [example.com]", nil},
		{"one of several names", base, "two", "secret of eve", "two auditor []", nil},
		{"in no group", base, "carl", "secret of carl", "", login.ErrNoRole},
		{"a wrong password", base, "ann", "secret of bob", "", accounts.ErrWrong},
		{"no password", base, "ann", "", "", accounts.ErrWrong},
		{"nobody", base, "zoe", "secret of zoe", "", accounts.ErrWrong},
		{"any", base, "*", "secret of ann", "", accounts.ErrWrong},
		{"a filter", base, "ann)(uid=*", "secret of ann", "", accounts.ErrWrong},
		{"a filter that is always true", base, "x)(|(uid=ann", "secret of ann", "", accounts.ErrWrong},
		{"a name that matches two", base, "*n*", "secret of ann", "", accounts.ErrWrong},
		{"a backslash", base, "ann\\", "secret of ann", "", accounts.ErrWrong},
		{"a name of the directory", base, "cn=ann,dc=example,dc=com", "secret of ann", "", accounts.ErrWrong},
		{"not encrypted", plain, "ann", "secret of ann", "", nil},
		{"an authority that is not known", stranger, "ann", "secret of ann", "", nil},
		{"nobody may look", nobody, "ann", "secret of ann", "", accounts.ErrWrong},
	} {
		got, err := ldap.New(c.config).Authenticate(t.Context(), c.name, c.password)
		text := strings.TrimSpace(fmt.Sprintln(got.Name, got.Role, got.Domains))
		if c.want != "" && (text != c.want || err != nil) || c.want == "" && (err == nil || got.Role != "" || c.err != nil && !errors.Is(err, c.err)) {
			t.Errorf("%s: %s, %v", c.about, text, err)
		}
		if c.want == "" && c.err == nil && errors.Is(err, accounts.ErrWrong) {
			t.Errorf("%s: the password is blamed: %v", c.about, err)
		}
	}
	s.Stop()
	if _, err := ldap.New(base).Authenticate(t.Context(), "ann", "secret of ann"); err == nil || errors.Is(err, accounts.ErrWrong) {
		t.Errorf("a directory that is down: %v", err)
	}
}
