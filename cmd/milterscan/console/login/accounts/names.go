package accounts

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
)

// mostOfName is how many bytes a name may have.
const mostOfName = 128

// Sources of accounts.
const (
	Local = "local"
	LDAP  = "ldap"
	OIDC  = "oidc"
	Owner = "recipient" // of addresses, however that was proved
)

// Canonical returns a name as accounts are looked up by it: names that only differ in case,
// in width, or in how letters are composed are one (RFC 8265, section 3.3). The error says
// why the name is wrong.
func Canonical(name string) (string, error) {
	name = strings.TrimSpace(name)
	if len(name) > mostOfName {
		return "", fmt.Errorf("a name has at most %d bytes", mostOfName)
	}
	folded, err := precis.UsernameCaseMapped.String(name)
	switch {
	case name == "":
		return "", fmt.Errorf("a name is missing")
	case !utf8.ValidString(name) || err != nil || len(folded) > mostOfName:
		return "", fmt.Errorf("%q is no name: letters and digits of one script, and signs such as \".\", \"-\" and \"@\"", name)
	}
	return folded, nil
}

// LocalName returns a name as Canonical does, for local accounts, whose names must not look like
// those of others, such as "ldap:ann".
func LocalName(name string) (string, error) {
	folded, err := Canonical(name)
	if err == nil && strings.ContainsAny(folded, ":/\\<>\"'&") {
		return "", fmt.Errorf("%q is no name: it must not have any of : / \\ < > \" ' &", name)
	}
	return folded, err
}
