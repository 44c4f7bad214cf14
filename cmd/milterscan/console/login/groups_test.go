package login

import (
	"strings"
	"testing"
)

func TestRoleOf(t *testing.T) {
	g := Groups{
		Roles:   map[string][]string{"administrator": {"admins", "root"}, "auditor": {"audit"}, "domain": {"hosters", "customers"}, "boss": {"x"}},
		Domains: map[string][]string{"customers": {"example.com"}, "hosters": {".example.net", "example.net"}, "others": {"other.example"}},
	}
	fold := g
	fold.Fold = true
	for _, c := range []struct {
		g           Groups
		groups, own string
		want        string
	}{
		{g, "", "", ""},
		{g, "nobody", "", ""},
		{g, "x", "", ""},
		{g, "audit", "", "auditor"},
		{g, "customers audit root", "", "administrator"},
		{g, "customers", "", "domain example.com"},
		{g, "customers hosters", "", "domain .example.net example.com example.net"},
		{g, "customers others", "example.com b.example", "domain b.example example.com other.example"},
		{g, "others", "b.example", ""},
		{g, "Admins", "", ""},
		{fold, "Admins", "", "administrator"},
		{fold, "admin", "", ""},
		{Groups{Roles: map[string][]string{"domain": {"d"}}}, "d", "", ""},
		{Groups{Roles: map[string][]string{"administrator": {""}}}, " ", "", ""},
	} {
		role, domains := c.g.RoleOf(strings.Split(c.groups, " "), strings.Fields(c.own))
		if got := strings.TrimSpace(string(role) + " " + strings.Join(domains, " ")); got != c.want {
			t.Errorf("%q: %q, want %q", c.groups, got, c.want)
		}
	}
}
