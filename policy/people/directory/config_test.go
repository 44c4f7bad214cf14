package directory

import (
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan/units"
)

// TestSources: what contradicts itself, or would send passwords in the clear, is refused.
func TestSources(t *testing.T) {
	csv := func(s *Source) { s.Type, s.File = CSV, "/people.csv" }
	lite := func(s *Source) {
		s.Type, s.File, s.Queries = Database, "/mail.db", []string{"SELECT email AS address FROM users"}
	}
	pg := func(s *Source) {
		lite(s)
		s.File, s.URL = "", "postgres://mail@db.example.com/mail?sslmode=verify-full"
	}
	tree := func(s *Source) { s.Type, s.URL, s.Base = LDAP, "ldaps://ldap.example.com", "dc=example,dc=com" }
	for _, c := range []struct {
		about string
		of    func(*Source)
		but   func(*Source)
		want  string // "": it is good
	}{
		{"a table", csv, func(*Source) {}, ""},
		{"SQLite", lite, func(*Source) {}, ""},
		{"PostgreSQL", pg, func(*Source) {}, ""},
		{"LDAP", tree, func(*Source) {}, ""},
		{"no type", csv, func(s *Source) { s.Type = "" }, "type"},
		{"no name", csv, func(s *Source) { s.Name = "" }, "name"},
		{"a name that is a path", csv, func(s *Source) { s.Name = "../x" }, "name"},
		{"too often", csv, func(s *Source) { s.Every = 1 }, "every"},
		{"not fresh for long", csv, func(s *Source) { s.Fresh = s.Every / 2 }, "fresh"},
		{"no time", csv, func(s *Source) { s.Timeout = 0 }, "timeout"},
		{"a field there is not", csv, func(s *Source) { s.Fields = map[string][]string{"phone": {"Phone"}} }, "fields.phone"},
		{"a field of no name", csv, func(s *Source) { s.Fields = map[string][]string{"name": {}} }, "fields.name"},
		{"a relative path", csv, func(s *Source) { s.File = "people.csv" }, "file"},
		{"a separator of two signs", csv, func(s *Source) { s.Separator = ";;" }, "separator"},
		{"a quote as separator", csv, func(s *Source) { s.Separator = "\"" }, "separator"},
		{"no queries", lite, func(s *Source) { s.Queries = nil }, "queries"},
		{"an empty query", lite, func(s *Source) { s.Queries = []string{" "} }, "queries[0]"},
		{"two databases", pg, func(s *Source) { s.File = "/mail.db" }, "file"},
		{"no database", lite, func(s *Source) { s.File = "" }, "file"},
		{"a password in the address", pg, func(s *Source) { s.URL = "postgres://mail:secret@localhost/mail" }, "url"},
		{"another server", pg, func(s *Source) { s.URL = "mysql://localhost/mail" }, "url"},
		{"in the clear", pg, func(s *Source) { s.URL = "postgres://mail@db.example.com/mail" }, "url"},
		{"in the clear, as the second host", pg, func(s *Source) { s.URL = "postgres://mail@localhost,db.example.com/mail?sslmode=prefer" }, "url"},
		{"in the clear, by another way of writing", pg, func(s *Source) { s.URL = "postgres://mail@/mail?host=db.example.com&sslmode=disable" }, "url"},
		{"in the clear on this host", pg, func(s *Source) { s.URL = "postgres://mail@127.0.0.1/mail" }, ""},
		{"by a socket", pg, func(s *Source) { s.URL = "postgres:///mail?host=/run/postgresql&user=mail" }, ""},
		{"LDAP in the clear", tree, func(s *Source) { s.URL, s.StartTLS = "ldap://ldap.example.com", false }, "starttls"},
		{"no LDAP", tree, func(s *Source) { s.URL = "https://ldap.example.com" }, "url"},
		{"no base", tree, func(s *Source) { s.Base = "" }, "base"},
		{"no filter", tree, func(s *Source) { s.Filter = "mail=*)" }, "filter"},
		{"no filter for groups", tree, func(s *Source) { s.GroupBase, s.GroupFilter = "dc=x", "" }, "group_filter"},
		{"a name without a password", tree, func(s *Source) { s.BindDN = "cn=reader" }, "bind_dn"},
	} {
		s := Source{}
		s.SetDefaults()
		s.Name = "staff"
		c.of(&s)
		c.but(&s)
		faults := units.Faults(s.Check())
		if c.want == "" && len(faults) > 0 || c.want != "" && (len(faults) != 1 || faults[0].Key != c.want) {
			t.Errorf("%s: %v, want a fault of %q", c.about, faults, c.want)
		}
		for _, f := range faults {
			if strings.Contains(f.What, "secret") {
				t.Errorf("%s: the password is shown: %s", c.about, f.What)
			}
		}
	}
}
