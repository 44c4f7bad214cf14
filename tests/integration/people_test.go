package integration

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/people/directory"
	"github.com/milterscan/milterscan/scan/units"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// crowd is how many persons there are as well as ann, bob and cy: more than a server gives in one page.
const crowd = 1200

// peopleTable has the people of the tests as a table.
func peopleTable() string {
	var b strings.Builder
	b.WriteString("address,name,aliases,groups,language,delegates\n" +
		"ann@example.com,Ann Smith,a.smith@example.com; shared@example.com,Finance,de-AT,bob@example.com\n" +
		"bob@example.com,\"Bob, the second\",shared@example.com; @catch.example,IT; Staff,,\n" +
		"cy@bücher.example,Cy,,,fr,\n")
	for i := range crowd {
		fmt.Fprintf(&b, "p%d@example.com,P%d,,,,\n", i, i)
	}
	return b.String()
}

// peopleSQL has them in two tables, as databases have addresses and what belongs to them.
func peopleSQL() string {
	var b strings.Builder
	b.WriteString(`CREATE TABLE users (email TEXT, full_name TEXT, lang TEXT);
CREATE TABLE aliases (alias TEXT, email TEXT);
CREATE TABLE teams (email TEXT, team TEXT);
CREATE TABLE deputies (email TEXT, deputy TEXT);
INSERT INTO users VALUES ('Ann@Example.com', 'Ann Smith', 'de-AT'), ('bob@example.com', 'Bob, the second', NULL), ('cy@bücher.example', 'Cy', 'fr');
INSERT INTO aliases VALUES ('a.smith@example.com', 'ann@example.com'), ('shared@example.com', 'ann@example.com'), ('shared@example.com', 'bob@example.com'), ('@catch.example', 'bob@example.com');
INSERT INTO teams VALUES ('ann@example.com', 'Finance'), ('bob@example.com', 'IT'), ('bob@example.com', 'Staff');
INSERT INTO deputies VALUES ('ann@example.com', 'bob@example.com');
`)
	for i := range crowd {
		fmt.Fprintf(&b, "INSERT INTO users VALUES ('p%d@example.com', 'P%d', '');\n", i, i)
	}
	return b.String()
}

var peopleQueries = []string{"SELECT email AS address, full_name AS name, lang AS language FROM users",
	"SELECT email AS address, alias AS aliases FROM aliases", "SELECT email AS address, team AS groups FROM teams",
	"SELECT email AS address, deputy AS delegates FROM deputies"}

// peopleLDIF has them as entries, with groups in groups and a circle of those.
func peopleLDIF() string {
	var b strings.Builder
	person := func(cn, more string) {
		fmt.Fprintf(&b, "dn: cn=%[1]s,dc=example,dc=com\nobjectClass: inetOrgPerson\ncn: %[1]s\nsn: x\n%[2]s\n", cn, more)
	}
	person("Ann Smith", "mail: Ann@Example.com\nmail: a.smith@example.com\nmail: shared@example.com\npreferredLanguage: de-AT\nseeAlso: cn=Bob\\2C the second,dc=example,dc=com\n")
	person("Bob\\, the second", "mail: bob@example.com\nmail: shared@example.com\nmail: @catch.example\n")
	person("Cy", "mail: cy@xn--bcher-kva.example\npreferredLanguage: fr, en;q=0.5\n")
	person("Nobody", "")
	for i := range crowd {
		person(fmt.Sprintf("P%d", i), fmt.Sprintf("mail: p%d@example.com\n", i))
	}
	group := func(cn string, members ...string) {
		fmt.Fprintf(&b, "dn: cn=%[1]s,dc=example,dc=com\nobjectClass: groupOfNames\ncn: %[1]s\n", cn)
		for _, m := range members {
			fmt.Fprintf(&b, "member: cn=%s,dc=example,dc=com\n", m)
		}
		b.WriteString("\n")
	}
	group("Finance", "Ann Smith")
	group("IT", "Bob\\, the second", "Staff")
	group("Staff", "IT")
	return strings.ReplaceAll(b.String(), "cn: Bob\\, ", "cn: Bob, ")
}

// sameToAll asks a directory about the people of the tests: whatever they come from, the answers are the same.
func sameToAll(t *testing.T, d *directory.Directory) {
	t.Helper()
	for address, want := range map[string]string{
		"ann@example.com": "ann@example.com|Ann Smith|de|finance", "A.Smith+news@Example.COM": "ann@example.com|Ann Smith|de|finance",
		"any@catch.example": "bob@example.com|Bob, the second||it staff", "shared@example.com": "shared@example.com|||",
		"cy@bücher.example": "cy@xn--bcher-kva.example|Cy|fr|", "p1199@example.com": "p1199@example.com|P1199||", "eve@example.com": "|||",
	} {
		p, _ := d.Who(address)
		if got := strings.Join([]string{p.ID, p.Name, p.Language, strings.Join(p.Groups, " ")}, "|"); got != want {
			t.Errorf("%s is %q, want %q", address, got, want)
		}
	}
	for address, want := range map[string]string{"bob@example.com": "ann@example.com bob@example.com shared@example.com", "ann@example.com": "ann@example.com shared@example.com"} {
		var ids []string
		for _, p := range d.Acting(address) {
			ids = append(ids, p.ID)
		}
		slices.Sort(ids)
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s may act for %q, want %q", address, got, want)
		}
	}
	if !d.Group("IT", "bob@example.com") || d.Group("it", "ann@example.com") {
		t.Error("bob is not in his group, or ann is")
	}
	if people, _ := d.Size(); people != crowd+4 {
		t.Errorf("%d people, want %d", people, crowd+4)
	}
}

// peopleSources starts servers and returns the sources there are, with what ends each.
func peopleSources(t *testing.T) (all []directory.Source, stops []func()) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	add := func(kind string, stop func(), set func(*directory.Source)) {
		s := directory.Source{}
		s.SetDefaults()
		s.Name, s.Type, s.Domains = fmt.Sprintf("s%d", len(all)), kind, []policy.Domain{"example.com"}
		set(&s)
		if err := s.Check(); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		all, stops = append(all, s), append(stops, stop)
	}
	table := file("people.csv", peopleTable())
	add(directory.CSV, func() { os.Remove(table) }, func(s *directory.Source) { s.File = table })

	lite := filepath.Join(dir, "people.db")
	db, err := sql.Open("sqlite", lite)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("BEGIN;" + peopleSQL() + "COMMIT;"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	add(directory.Database, func() { os.Remove(lite) }, func(s *directory.Source) { s.File, s.Queries = lite, peopleQueries })

	pg := servers.StartPostgres(t, peopleSQL())
	add(directory.Database, pg.Stop, func(s *directory.Source) {
		s.URL, s.Queries = pg.URL(), peopleQueries
		s.PasswordFile.UnmarshalText([]byte(file("pg", servers.PostgresPassword)))
	})
	tree := servers.StartSlapd(t, peopleLDIF())
	add(directory.LDAP, tree.Stop, func(s *directory.Source) {
		s.URL, s.CAFile, s.BindDN, s.Base = "ldap://"+tree.Addr, tree.CA, servers.SlapdAdmin, "dc=example,dc=com"
		s.GroupBase, s.Fields = "dc=example,dc=com", map[string][]string{"delegates": {"seeAlso"}}
		s.PasswordFile.UnmarshalText([]byte(file("ldap", servers.SlapdPassword)))
	})
	return all, stops
}

// TestPeople loads the same people from a table, SQLite, PostgreSQL and LDAP. While a server is down, and after a
// restart meanwhile, what was loaded last is in force; nobody is unknown by it.
func TestPeople(t *testing.T) {
	needServers(t)
	all, stops := peopleSources(t)
	for i, s := range all {
		name := s.Type + " " + s.URL
		kept := t.TempDir()
		var told []directory.State
		d := directory.New(directory.Options{Dir: kept, Keep: true, Tell: func(s directory.State) { told = append(told, s) }})
		d.Use([]directory.Source{s}, "+")
		d.Load(t.Context())
		state := d.States()[0]
		if state.Err != nil || state.Wrong != 0 {
			t.Fatalf("%s: %v, %q", name, state.Err, state.Problems)
		}
		t.Logf("%s: %d addresses in %v", name, state.Addresses, state.Took)
		sameToAll(t, d)
		if known, sure := d.Known("eve@example.com"); known || !sure {
			t.Errorf("%s: known %v, sure %v", name, known, sure)
		}
		stops[i]()
		d.Load(t.Context())
		d.Load(t.Context())
		if state := d.States()[0]; state.Err == nil || len(told) != 1 {
			t.Errorf("%s: is down, and the error is %v, which was told %d times", name, state.Err, len(told))
		}
		sameToAll(t, d)
		again := directory.New(directory.Options{Dir: kept})
		again.Use([]directory.Source{s}, "+")
		again.Load(t.Context())
		sameToAll(t, again)
		if known, sure := again.Known("eve@example.com"); known || sure {
			t.Errorf("%s: after a restart: known %v, sure %v", name, known, sure)
		}
	}
}

// TestPeopleOfOthers: a password that is wrong, an authority that is not known, and a query that would change
// something: nothing is loaded, and no secret is in the error.
func TestPeopleOfOthers(t *testing.T) {
	needServers(t)
	all, _ := peopleSources(t)
	wrong := filepath.Join(t.TempDir(), "wrong")
	if err := os.WriteFile(wrong, []byte("xyzzy-plugh"), 0o600); err != nil {
		t.Fatal(err)
	}
	pg, tree := all[2], all[3]
	for about, c := range map[string]struct {
		of  directory.Source
		but func(*directory.Source)
	}{
		"PostgreSQL, a wrong password":     {pg, func(s *directory.Source) { s.PasswordFile.UnmarshalText([]byte(wrong)) }},
		"PostgreSQL, a query that changes": {pg, func(s *directory.Source) { s.Queries = []string{"DELETE FROM users RETURNING email AS address"} }},
		"PostgreSQL, one that takes long": {pg, func(s *directory.Source) {
			s.Queries, s.Timeout = []string{"SELECT pg_sleep(60)::text AS address"}, units.Duration(time.Second)
		}},
		"LDAP, a wrong password":              {tree, func(s *directory.Source) { s.PasswordFile.UnmarshalText([]byte(wrong)) }},
		"LDAP, an authority it does not know": {tree, func(s *directory.Source) { s.CAFile = "" }},
		"LDAP, a base that is not there":      {tree, func(s *directory.Source) { s.Base = "ou=nowhere,dc=example,dc=com" }},
		"LDAP, a filter for nobody":           {tree, func(s *directory.Source) { s.Filter = "(mail=nobody)" }},
	} {
		c.but(&c.of)
		d := directory.New(directory.Options{})
		d.Use([]directory.Source{c.of}, "+")
		begun := time.Now()
		d.Load(t.Context())
		state := d.States()[0]
		if state.Err == nil || d.Ready() || strings.Contains(fmt.Sprint(state.Err), "xyzzy") || time.Since(begun) > 30*time.Second {
			t.Errorf("%s: %v after %v", about, state.Err, time.Since(begun))
		}
	}
	again := directory.New(directory.Options{})
	again.Use([]directory.Source{pg}, "+")
	again.Load(t.Context())
	sameToAll(t, again)
}
