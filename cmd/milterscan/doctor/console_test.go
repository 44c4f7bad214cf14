package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/fakes"
)

// TestConsole: what keeps persons out of the console is said, with a remedy.
func TestConsole(t *testing.T) {
	h := sound(t)
	idp, err := fakes.NewIDP()
	if err != nil {
		t.Fatal(err)
	}
	defer idp.Close()
	secret := func(name string, mode os.FileMode) string {
		path := filepath.Join(h.dir, name)
		if err := os.WriteFile(path, []byte("s3cret\n"), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good, open := secret("good", 0o600), secret("open", 0o644)
	section := func(file, more string) string {
		return fmt.Sprintf("[console]\nlisten = [\"unix:%[1]s/console\"]\nfile = \"%[1]s/%[2]s\"\nurl = \"https://mx.example.com\"\n%[3]s", h.dir, file, more)
	}
	oidc := func(issuer, secret string) string {
		return fmt.Sprintf("[console.oidc]\nissuer = %q\nclient_id = \"mx\"\nsecret_file = %q\nroles = { auditor = [\"a\"] }\n", issuer, secret)
	}
	ldap := "[console.ldap]\nurl = \"ldap://127.0.0.1:1\"\nstarttls = false\nbase = \"o=x\"\nroles = { auditor = [\"cn=a\"] }\n"
	for _, c := range []struct {
		about, section string
		level          Level
		says           string
	}{
		{"an account is missing", section("console.db", ""), Advice, "nobody can log in"},
		{"a directory is missing", section("nowhere/console.db", ""), Fault, "console.file: "},
		{"a file is no database", section("good", ""), Fault, "it is no database"},
		{"a provider answers", section("console.db", oidc(idp.URL, good)), OK, "console.oidc: " + idp.URL + " answers"},
		{"a provider does not", section("console.db", oidc("http://127.0.0.1:1", good)), Fault, "console.oidc: http://127.0.0.1:1"},
		{"a secret is open", section("console.db", oidc(idp.URL, open)), Fault, "can be read by every user"},
		{"a secret is missing", section("console.db", oidc(idp.URL, h.dir+"/none")), Fault, "console.oidc.secret_file: "},
		{"a directory is down", section("console.db", ldap), Fault, "console.ldap: ldap://127.0.0.1:1"},
		{"a secret is elsewhere", section("console.db", ldap+"bind_dn = \"cn=x\"\npassword_file = \"env:X\"\n"), OK, "is not asked"},
	} {
		said := false
		for _, f := range h.installation(t, c.section).console(t.Context()) {
			if f.Level == c.level && strings.Contains(f.What, c.says) && (f.Level == OK || f.Fix != "") {
				said = true
			} else if f.Level == Fault {
				t.Errorf("%s: %+v", c.about, f)
			}
		}
		if !said {
			t.Errorf("%s: it is not said: %+v", c.about, h.installation(t, c.section).console(t.Context()))
		}
	}
	if found := h.installation(t, "").console(t.Context()); found != nil {
		t.Errorf("the console is off: %+v", found)
	}
}
