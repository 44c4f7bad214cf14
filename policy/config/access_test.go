package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAccess: each mistake is named by its key, and what is right is taken.
func TestAccess(t *testing.T) {
	const oidc = "[console]\nurl = \"https://mx.example.com\"\n[console.oidc]\nissuer = \"https://idp.example.com\"\nclient_id = \"mx\"\nroles = { auditor = [\"a\"] }\n"
	const ldap = "[console.ldap]\nurl = \"ldaps://ldap.example.com\"\nbase = \"dc=example,dc=com\"\nroles = { auditor = [\"cn=a\"] }\n"
	for _, c := range []struct{ text, key string }{
		{"", ""},
		{oidc, ""},
		{ldap, ""},
		{"[console]\nurl = \"https://mx.example.com/\"", ""},
		{"[console]\nurl = \"mx.example.com\"", "console.url"},
		{"[console]\nlisten = [\"unix:/run/c\", \"tcp:127.0.0.1:8025\", \"tcp:[::1]:8025\", \"tcp:localhost:8025\"]", ""},
		{"[console]\nlisten = [\"unix:/run/c\", \"tcp:0.0.0.0:8025\"]", "console.listen[1]"},
		{"[console]\nlisten = [\"tcp:[::]:8025\"]", "console.listen[0]"},
		{"[console]\nlisten = [\"tcp:192.0.2.1:8025\"]\nurl = \"http://mx.example.com\"", "console.listen[0]"},
		{"[console]\nlisten = [\"tcp:192.0.2.1:8025\"]\nurl = \"https://mx.example.com\"", ""},
		{"[console]\nlisten = [\"tcp:192.0.2.1:8025\"]\ncertificate = \"/c\"\nkey = \"/k\"", ""},
		{"[console]\nurl = \"https://mx.example.com/console\"", "console.url"},
		{"[console]\nurl = \"https://ann@mx.example.com\"", "console.url"},
		{"[console]\nurl = \"javascript:alert(1)\"", "console.url"},
		{"[console]\ncertificate = \"/c\"\nkey = \"/k\"\nclient_ca = \"/nowhere/ca.pem\"", "console.client_ca"},
		{"[console]\ncertificate = \"/c\"\nkey = \"/k\"\nclient_ca = \"ca.pem\"", "console.client_ca"},
		{"[console]\nclient_ca = \"/etc/ca.pem\"", "console.client_ca"},
		{"[console]\nclient_name = \"uid\"", "console.client_name"},
		{"[console]\nidle = \"10s\"", "console.idle"},
		{"[console]\nlife = \"10m\"", "console.life"},
		{"[console]\nlife = \"400d\"", "console.life"},
		{"[console]\nrequire_totp = [\"administrator\", \"boss\"]", "console.require_totp[1]"},
		{"[console]\nproxies = [\"here\"]", "console.proxies[0]"},
		{strings.Replace(oidc, "https://mx.example.com", "", 1), "console.url"},
		{strings.Replace(oidc, "https://idp", "http://idp", 1), "console.oidc.issuer"},
		{strings.Replace(oidc, "https://idp.example.com", "http://127.0.0.1:8080", 1), ""},
		{strings.Replace(oidc, "\"mx\"", "\"\"", 1), "console.oidc.client_id"},
		{oidc + "name_claim = \"\"", "console.oidc.name_claim"},
		{oidc + "scopes = [\"email\"]", "console.oidc.scopes"},
		{oidc + "secret_file = \"secret\"", "console.oidc.secret_file"},
		{oidc + "secret_file = \"env:\"", "console.oidc.secret_file"},
		{oidc + "secret_file = \"env:SECRET\"", ""},
		{oidc + "ca_file = \"/nowhere/ca.pem\"", "console.oidc.ca_file"},
		{oidc + "domains = { g = [\"example.com\", \"*\"] }", "console.oidc.domains.g[1]"},
		{strings.Replace(oidc, "auditor", "boss", 1), "console.oidc.roles.boss"},
		{strings.Replace(oidc, "[\"a\"]", "[\"\"]", 1), "console.oidc.roles.auditor"},
		{strings.Replace(oidc, "{ auditor = [\"a\"] }", "{}", 1), "console.oidc.roles"},
		{strings.Replace(ldap, "ldaps:", "http:", 1), "console.ldap.url"},
		{strings.Replace(ldap, "ldaps:", "ldap:", 1), ""},
		{strings.Replace(ldap, "ldaps:", "ldap:", 1) + "starttls = false", "console.ldap.starttls"},
		{strings.Replace(ldap, "ldaps://ldap.example.com", "ldap://127.0.0.1:3899", 1) + "starttls = false", ""},
		{strings.Replace(ldap, "ldaps://ldap.example.com", "ldap://127.evil.example", 1) + "starttls = false", "console.ldap.starttls"},
		{strings.Replace(oidc, "https://idp.example.com", "http://127.evil.example", 1), "console.oidc.issuer"},
		{ldap + "filter = \"(uid=%d)\"", "console.ldap.filter"},
		{ldap + "filter = \"(uid=ann)\"", "console.ldap.filter"},
		{ldap + "filter = \"uid=%s\"", "console.ldap.filter"},
		{ldap + "filter = \"(|(uid=%s)(mail=%s))\"", ""},
		{ldap + "group_base = \"ou=groups\"", "console.ldap.group_base"},
		{ldap + "group_base = \"ou=groups\"\ngroup_filter = \"(member=%s)\"", ""},
		{ldap + "bind_dn = \"cn=x\"", "console.ldap.bind_dn"},
		{ldap + "timeout = \"2m\"", "console.ldap.timeout"},
		{strings.Replace(ldap, "dc=example,dc=com", "", 1), "console.ldap.base"},
	} {
		path := write(t, map[string]string{"milterscan.toml": c.text + "\n"})
		_, err := Load(path)
		if lines := strings.Split(fmt.Sprint(err), "\n"); c.key == "" && err != nil || c.key != "" && (len(lines) != 1 || !strings.Contains(lines[0], ": "+c.key+": ")) {
			t.Errorf("%s\n%q is wanted, got %v", c.text, c.key, err)
		}
	}
}

func TestSecretFile(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string, mode os.FileMode) SecretFile {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return SecretFile(path)
	}
	t.Setenv("MILTERSCAN_TEST_SECRET", "from the environment")
	for _, c := range []struct {
		from SecretFile
		want string
		err  string
	}{
		{"", "", ""},
		{file("good", "s3cret \n", 0o640), "s3cret ", ""},
		{file("open", "s3cret", 0o644), "", "chmod o-r"},
		{file("empty", "\n", 0o600), "", "no secret"},
		{file("long", strings.Repeat("x", 5000), 0o600), "", "no secret"},
		{SecretFile(filepath.Join(dir, "nowhere")), "", "no such file"},
		{"env:MILTERSCAN_TEST_SECRET", "from the environment", ""},
		{"env:MILTERSCAN_TEST_NOTHING", "", "MILTERSCAN_TEST_NOTHING"},
	} {
		got, err := c.from.Read()
		if got != c.want || (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %q, %v", c.from, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v tells the secret", err)
		}
	}
}
