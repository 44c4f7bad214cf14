package directory

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy/address"
)

// sqliteSource returns a source that is a database with some tables.
func sqliteSource(t *testing.T, schema string, queries ...string) Source {
	t.Helper()
	s := Source{}
	s.SetDefaults()
	s.Name, s.Type, s.File, s.Queries = "mail", Database, filepath.Join(t.TempDir(), "mail.db"), queries
	db, err := sql.Open("sqlite", s.File)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(schema); err != nil {
		t.Fatal(err)
	}
	return s
}

// postfix has tables as Postfix looks them up.
const postfix = `
CREATE TABLE mailbox (email TEXT, full_name TEXT, lang TEXT, active INTEGER);
CREATE TABLE virtual (source TEXT, destination TEXT);
CREATE TABLE team (email TEXT, team TEXT);
INSERT INTO mailbox VALUES ('ann@example.com', 'Ann', 'de', 1), ('bob@example.com', 'Bob', NULL, 1), ('old@example.com', 'Old', 'en', 0);
INSERT INTO virtual VALUES ('a@example.com', 'ann@example.com'), ('both@example.com', 'ann@example.com'), ('both@example.com', 'bob@example.com'), ('@other.example', 'bob@example.com');
INSERT INTO team VALUES ('ann@example.com', 'Finance'), ('ann@example.com', 'Board'), ('bob@example.com', 'it');
`

// TestDatabases: rows of several queries are one person's.
func TestDatabases(t *testing.T) {
	s := sqliteSource(t, postfix, "SELECT email AS address, full_name AS name, lang AS language FROM mailbox WHERE active",
		"SELECT destination AS Address, source AS aliases FROM virtual", "SELECT email AS address, team FROM team")
	s.Fields = map[string][]string{"groups": {"team"}}
	d := loaded(t, s)
	for written, want := range map[string]string{
		"a@example.com": "ann@example.com Ann de [board finance]", "bob@example.com": "bob@example.com Bob  [it]",
		"both@example.com": "both@example.com   []", "x@other.example": "bob@example.com Bob  [it]", "old@example.com": "",
	} {
		p, ok := d.Who(written)
		got := strings.Join([]string{p.ID, p.Name, p.Language, "[" + strings.Join(p.Groups, " ") + "]"}, " ")
		if ok && got != want || !ok && want != "" {
			t.Errorf("%s is %q, %v; want %q", written, got, ok, want)
		}
	}
	if got := ids(d.Acting("bob@example.com")); got != "bob@example.com both@example.com" {
		t.Errorf("bob may act for %s", got)
	}
}

// TestDatabasesThatCannotBeRead: what is wrong is said, and nothing in the database is changed.
func TestDatabasesThatCannotBeRead(t *testing.T) {
	for query, want := range map[string]string{
		"SELECT email FROM mailbox":                                                "no column of its own for addresses",
		"SELECT email AS address FROM nowhere":                                     "no such table",
		"SELECT email AS address FROM mailbox LIMIT 0":                             "no people at all",
		"UPDATE mailbox SET email = 'x@example.com' RETURNING email AS address":    "readonly",
		"DROP TABLE mailbox":                                                       "",
		"SELECT x.email AS address, hex(zeroblob(1000000)) AS name FROM mailbox x": "",
	} {
		s := sqliteSource(t, postfix, query)
		_, rows, err := (&source{Source: s, from: s.open()}).fetch(t.Context())
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %d rows, %v; want %q", query, len(rows), err, want)
		}
		for _, r := range rows {
			if len(r.Name) > mostOfName {
				t.Errorf("a name of %d bytes", len(r.Name))
			}
		}
		s.Queries = []string{"SELECT email AS address FROM mailbox"}
		if _, rows, err := (&source{Source: s, from: s.open()}).fetch(t.Context()); err != nil || len(rows) != 3 {
			t.Errorf("after %s: %d rows, %v", query, len(rows), err)
		}
	}
	s := sqliteSource(t, postfix, "SELECT email AS address FROM mailbox")
	s.File += ".other"
	if _, _, err := (&source{Source: s, from: s.open()}).fetch(t.Context()); err == nil {
		t.Error("a database that is not there can be read")
	}
	if _, err := os.Stat(s.File); err == nil {
		t.Error("a database was made")
	}
}

// TestEndlessQueries: the time for a load ends a query.
func TestEndlessQueries(t *testing.T) {
	s := sqliteSource(t, postfix, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT 'p' || max(i) || '@example.com' AS address FROM n")
	s.Timeout /= 30
	_, _, err := (&source{Source: s, from: s.open()}).fetch(t.Context())
	if err == nil || !strings.Contains(err.Error(), "not loaded within") {
		t.Errorf("got %v", err)
	}
}

// TestValuesOfDatabases: a value of any type is text.
func TestValuesOfDatabases(t *testing.T) {
	for _, c := range []struct {
		value any
		want  text
	}{{nil, ""}, {"a", "a"}, {[]byte("b"), "b"}, {int64(7), "7"}, {true, "true"}} {
		got := text("before")
		if err := got.Scan(c.value); err != nil || got != c.want {
			t.Errorf("%v: %q, %v", c.value, got, err)
		}
	}
	if _, err := address.Fold("7"); err == nil {
		t.Error("a number is an address")
	}
}
