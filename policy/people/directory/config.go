package directory

import (
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan/units"
)

// The types of sources.
const (
	CSV      = "csv"
	Database = "sql"
	LDAP     = "ldap"
)

// Source is an entry of [[people.source]]: where people come from, and how far the source is
// believed.
type Source struct {
	// What the log and "milterscan people" call the source: small letters, digits and
	// hyphens.
	Name string `toml:"name"`
	// What it is: "csv" for a file with a table, "sql" for a database of SQLite or
	// PostgreSQL, "ldap" for an LDAP server such as OpenLDAP or Active Directory.
	Type string `toml:"type"`
	// How often all of it is loaded. A file with a table is also read when it changes.
	Every units.Duration `toml:"every"`
	// How long loading may take. What was loaded before stays in force until it is done.
	Timeout units.Duration `toml:"timeout"`
	// The domains of which the source has all addresses. Others of these domains are
	// unknown: mail to them has the finding "recipient/unknown".
	Domains []policy.Domain `toml:"domains"`
	// How old the last load may be for an address that it lacks to be unknown; after that
	// nobody can say.
	Fresh units.Duration `toml:"fresh"`
	// What the source calls "address", "name", "aliases", "groups", "language" and
	// "delegates", where it does not call them that: the columns of a table, such as
	// { address = ["E-Mail"], aliases = ["Alias 1", "Alias 2"] }, or attributes of LDAP,
	// where they are otherwise mail, displayName and cn, proxyAddresses and
	// mailAlternateAddress, memberOf, preferredLanguage and publicDelegates.
	Fields map[string][]string `toml:"fields"`
	// The table's file, or that of a database of SQLite.
	File string `toml:"file"`
	// What is between the columns of a table: one sign, "\t" for tabs.
	Separator string `toml:"separator"`
	SQL
	Login
	LDAPSource
}

// SetDefaults gives s the values of an entry with nothing but a name and a type.
func (s *Source) SetDefaults() {
	*s = Source{Every: units.Duration(5 * time.Minute), Timeout: units.Duration(time.Minute),
		Fresh: units.Duration(15 * time.Minute), Separator: ",",
		LDAPSource: LDAPSource{StartTLS: true, Filter: "(|(mail=*)(proxyAddresses=*))",
			GroupFilter: "(|(objectClass=group)(objectClass=groupOfNames)(objectClass=groupOfUniqueNames))"}}
}

// The fields of a person.
const (
	fieldAddress   = "address"
	fieldName      = "name"
	fieldAliases   = "aliases"
	fieldGroups    = "groups"
	fieldLanguage  = "language"
	fieldDelegates = "delegates"
)

// fields returns the names of all fields of a person.
func fields() []string {
	return []string{fieldAddress, fieldName, fieldAliases, fieldGroups, fieldLanguage, fieldDelegates}
}

// namesOf returns what the source calls a field.
func (s Source) namesOf(field string) []string {
	if names := s.Fields[field]; len(names) > 0 {
		return names
	}
	return []string{field}
}

var nameOfSource = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// Check returns the errors in the entry.
func (s Source) Check() error {
	var check units.Check
	check.If(!nameOfSource.MatchString(s.Name), "name",
		"%q is no name of a source; write small letters, digits and hyphens, such as \"staff\"", s.Name)
	check.If(s.Every.Go() < 10*time.Second, "every", "%v is too often; write at least \"10s\", such as \"5m\"", s.Every)
	check.If(s.Timeout.Go() < time.Second || s.Timeout.Go() > time.Hour, "timeout",
		"%v is not between 1s and 1h; write one such as \"1m\"", s.Timeout)
	check.If(s.Fresh.Go() < s.Every.Go(), "fresh",
		"%v is shorter than every, which is %v: at times nobody could say; write three times as much", s.Fresh, s.Every)
	for _, field := range slices.Sorted(maps.Keys(s.Fields)) {
		check.If(!slices.Contains(fields(), field), "fields."+field, "there is no field %q; it can be %s", field, units.Words(fields()))
		check.If(len(s.Fields[field]) == 0 || slices.Contains(s.Fields[field], ""), "fields."+field,
			"the name of a field is empty; leave it out, or write what the source calls it")
	}
	check.Add(s.checkType())
	return check.Err()
}

func (s Source) checkType() error {
	switch s.Type {
	case CSV:
		return s.checkCSV()
	case Database:
		return s.checkSQL()
	case LDAP:
		return s.checkLDAP()
	}
	return units.Wrong("type", "%q is not known; it can be %s", s.Type, units.Words([]string{CSV, Database, LDAP}))
}
