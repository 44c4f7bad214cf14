package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/fakes"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// TestRecipientsLogIn: recipients log in by a real directory and by a provider of OpenID Connect, and see what was
// kept back from the addresses that are theirs there, and nothing else. Who has no address of ours is told so; whoever
// has a role there is no recipient; and no claim that the provider has not verified makes an address one's own.
func TestRecipientsLogIn(t *testing.T) {
	h := newHouse(t, "")
	slapd := servers.StartSlapd(t, "dn: cn=ann,dc=example,dc=com\nobjectClass: inetOrgPerson\ncn: ann\nsn: x\nuid: ann\nmail: Ann@test.local\nmail: sales@test.local\nuserPassword: secret of ann\n\n"+
		"dn: cn=carl,dc=example,dc=com\nobjectClass: inetOrgPerson\ncn: carl\nsn: x\nuid: carl\nmail: carl@elsewhere.example\nuserPassword: secret of carl\n\n"+
		"dn: cn=bob,dc=example,dc=com\nobjectClass: inetOrgPerson\ncn: bob\nsn: x\nuid: bob\nmail: bob@test.local\nuserPassword: secret of bob\n\n"+
		"dn: cn=help,dc=example,dc=com\nobjectClass: groupOfNames\ncn: help\nmember: cn=bob,dc=example,dc=com\n\n")
	idp, err := fakes.NewIDP()
	if err != nil {
		t.Fatal(err)
	}
	defer idp.Close()
	dir := t.TempDir()
	for name, text := range map[string]string{"ldap": servers.SlapdPassword, "oidc": "s3cret"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h.makeVault(t, fmt.Sprintf(`
[local]
domains = ["test.local"]
[[rule]]
name = "keep"
when = ["forbidden"]
action = "quarantine"
[console]
listen = ["unix:%[1]s/console"]
file = "%[1]s/console.db"
url = "http://console.test"
[console.ldap]
url = "ldap://%[2]s"
ca_file = %[3]q
bind_dn = "cn=admin,dc=example,dc=com"
password_file = "%[1]s/ldap"
base = "dc=example,dc=com"
filter = "(|(uid=%%s)(mail=%%s))"
roles = { helpdesk = ["cn=help,dc=example,dc=com"] }
[console.oidc]
issuer = %[4]q
client_id = "mx"
secret_file = "%[1]s/oidc"
roles = { auditor = ["admins"] }
[people.pages]
login = ["ldap", "oidc"]
classes = ["forbidden"]
release = ["forbidden"]
`, dir, slapd.Addr, slapd.CA, idp.URL))
	for _, to := range []string{"ann@test.local", "sales@test.local", "bob@test.local"} {
		m := program()
		m.To = []string{to}
		if got := h.send(m); got.Code != 250 {
			t.Fatal(got)
		}
	}
	ids := map[string]string{}
	for _, k := range h.list(t) {
		ids[k.Recipients[0]] = k.ID
	}
	socket := filepath.Join(dir, "console")
	var page, at string
	sees := func(about string, v *visitor, want ...string) {
		t.Helper()
		if at != "/mine" {
			t.Errorf("%s: is at %s: %s", about, at, page)
			return
		}
		for to, id := range ids {
			owned := slices.Contains(want, to)
			if strings.Contains(page, id) != owned {
				t.Errorf("%s: mail for %s is on the page: %v", about, to, !owned)
			}
			if inside, _ := v.get("/mine/" + id); strings.Contains(inside, "Why it was kept") != owned {
				t.Errorf("%s: mail for %s is shown: %v", about, to, !owned)
			}
		}
	}
	for about, name := range map[string]string{"by name": "ann", "by an address": "sales@test.local", "in capitals": "ANN"} {
		v := visit(t, socket)
		page, at = v.post("/login", "name", name, "password", "secret of ann", "next", "/mine")
		sees("LDAP, "+about, v, "ann@test.local", "sales@test.local")
		if page, at := v.get("/quarantine"); at == "/quarantine" && strings.Contains(page, ids["bob@test.local"]) {
			t.Errorf("a recipient sees the quarantine: %s", page)
		}
	}
	v := visit(t, socket)
	page, at = v.post("/login", "name", "ann", "password", "secret of carl", "next", "/mine")
	if at != "/login" || !strings.Contains(page, "The name or the password is wrong") {
		t.Errorf("a wrong password: %s %s", at, page)
	}
	page, at = v.post("/login", "name", "carl", "password", "secret of carl", "next", "/mine")
	if at != "/login" || !strings.Contains(page, "none of your e-mail addresses is one of this host") {
		t.Errorf("one without an address of ours: %s %s", at, page)
	}
	if page, at = v.get("/mine"); at != "/login" {
		t.Errorf("who is at %s", at)
	}
	if page, at = v.post("/login", "name", "bob", "password", "secret of bob", "next", "/quarantine"); at != "/quarantine" || !strings.Contains(page, ids["ann@test.local"]) {
		t.Errorf("the help desk of the directory: %s %s", at, page)
	}

	for about, claims := range map[string]map[string]any{
		"":                              {"groups": []string{"staff"}, "email": "Sales@TEST.local", "email_verified": true, "preferred_username": "sales"},
		"an address that is not ours":   {"groups": []string{"staff"}, "email": "ann@elsewhere.example", "email_verified": true},
		"one that is not verified":      {"groups": []string{"staff"}, "email": "ann@test.local", "email_verified": false},
		"one of which that is not said": {"groups": []string{"staff"}, "email": "ann@test.local"},
		"no address":                    {"groups": []string{"staff"}},
		"two addresses as one":          {"groups": []string{"staff"}, "email": "ann@test.local, bob@test.local", "email_verified": true},
	} {
		idp.Claims = claims
		v := visit(t, socket)
		page, at = v.get("/login/oidc?next=/mine")
		if about == "" {
			sees("OpenID Connect", v, "sales@test.local")
			continue
		}
		if at != "/login/oidc/callback" || !strings.Contains(page, "none of your e-mail addresses is one of this host") {
			t.Errorf("%s: %s %s", about, at, page)
		}
		if _, at := v.get("/mine"); at != "/login" {
			t.Errorf("%s: is at %s", about, at)
		}
	}
	idp.Claims = map[string]any{"email": "ann@test.local", "email_verified": true}
	if page, at = visit(t, socket).get("/login/oidc?next=/audit"); at != "/audit" {
		t.Errorf("the auditor of the provider: %s %s", at, page)
	}
	out, _ := h.milter.Run(t, "audit", "--limit", "0")
	for _, line := range []string{"log in recipient:ann@test.local: done, by password", "log in recipient:sales@test.local: done, by OpenID Connect", "log in ldap:bob: done", "log in oidc:ann: done",
		"none of the groups of this person makes a role"} {
		if !strings.Contains(out, line) {
			t.Errorf("%q is not in the audit log:\n%s", line, out)
		}
	}
	slapd.Stop()
	if page, at = visit(t, socket).post("/login", "name", "ann", "password", "secret of ann", "next", "/mine"); at != "/login" || !strings.Contains(page, "directory does not answer") {
		t.Errorf("while the directory is down: %s %s", at, page)
	}
}
