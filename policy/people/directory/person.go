// Package directory knows who is who: which addresses are one person's, in which groups and
// languages, and who may act for another. It loads all people of its sources now and then, and
// answers from memory. What a source said last stays in force while it does not answer, also
// after a restart.
package directory

import (
	"slices"
	"strings"
)

// Person is one who gets mail here. Addresses are folded as by people.Fold.
type Person struct {
	ID        string   // stays the same while the main address does
	Name      string   // as the source has it; may be empty
	Addresses []string // all that are this person's, the main one first
	Groups    []string // in lower case, by their short names
	Language  string   // such as "de"; "" if no source says
	Delegates []string // main addresses of those who may act for this person; some may be known to no source
}

// Main returns the main address of a person.
func (p Person) Main() string { return p.Addresses[0] }

// Row is what a source says of one address: all there is to know of a person, or a part of
// it, since rows of the same address add up. An address is folded, or "@example.com" for all
// addresses of a domain that are not named otherwise.
type Row struct {
	Address   string   `json:"address"`
	Name      string   `json:"name,omitempty"`
	Aliases   []string `json:"aliases,omitempty"`
	Groups    []string `json:"groups,omitempty"`
	Language  string   `json:"language,omitempty"`
	Delegates []string `json:"delegates,omitempty"`
}

// equal reports whether two rows say the same.
func (r Row) equal(o Row) bool {
	return r.Address == o.Address && r.Name == o.Name && r.Language == o.Language && slices.Equal(r.Aliases, o.Aliases) &&
		slices.Equal(r.Groups, o.Groups) && slices.Equal(r.Delegates, o.Delegates)
}

// languageOf returns the language of a tag or of a list of them, such as "de" of
// "de-AT, en;q=0.5"; "" if it names none.
func languageOf(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), ",")
	s, _, _ = strings.Cut(s, ";")
	if i := strings.IndexAny(s, "-_."); i >= 0 {
		s = s[:i]
	}
	s = strings.ToLower(strings.TrimSpace(s))
	other := func(r rune) bool { return r < 'a' || r > 'z' }
	if len(s) < 2 || len(s) > 3 || strings.ContainsFunc(s, other) {
		return ""
	}
	return s
}

// foldGroup returns the name of a group as it is compared.
func foldGroup(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

// shortGroup returns the name of a group without its place in a tree: "finance" of
// "cn=finance,ou=groups,dc=example,dc=com" (RFC 4514).
func shortGroup(folded string) string {
	attribute, rest, ok := strings.Cut(folded, "=")
	if !ok || !strings.Contains(rest, "=") || strings.ContainsAny(attribute, " ,;") {
		return folded
	}
	var name strings.Builder
	for i := 0; i < len(rest); i++ {
		switch {
		case rest[i] == '\\' && i+1 < len(rest):
			i++
			name.WriteByte(rest[i])
		case rest[i] == ',' || rest[i] == '+':
			return foldGroup(name.String())
		default:
			name.WriteByte(rest[i])
		}
	}
	return foldGroup(name.String())
}
