// Package address writes mail addresses in the one form by which data of people is found.
package address

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/milterscan/milterscan/scan/format/markup"
)

// Bounds of addresses (RFC 5321, section 4.5.3.1).
const (
	mostOfLocal  = 64
	mostOfDomain = 255
)

// Fold returns an address as all data of people is found by it: in lower case, without
// angle brackets, the domain in its ASCII form. "ann+list@example.com" is another address
// than "ann@example.com".
func Fold(address string) (string, error) {
	s := strings.TrimSpace(address)
	s = strings.TrimSuffix(strings.TrimPrefix(s, "<"), ">")
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || at == len(s)-1 || !utf8.ValidString(s) {
		return "", fmt.Errorf("%q is no address; write \"user@example.com\"", address)
	}
	domain, err := Domain(s[at+1:])
	if err != nil {
		return "", fmt.Errorf("%q is no address: %w", address, err)
	}
	local := strings.ToLower(s[:at])
	if len(local) > mostOfLocal || strings.ContainsFunc(local, unprintable) {
		return "", fmt.Errorf("%q is no address: the part before the @ has blanks or signs that are none, or more than %d bytes",
			address, mostOfLocal)
	}
	return local + "@" + domain, nil
}

// Domain returns a domain in lower case, in its ASCII form, without a dot at its end.
func Domain(domain string) (string, error) {
	folded := markup.ASCII(strings.TrimSpace(domain))
	if folded == "" || len(folded) > mostOfDomain || folded[0] == '.' ||
		strings.Contains(folded, "..") || strings.ContainsFunc(folded, notInDomain) {
		return "", fmt.Errorf("%q is no domain; write \"example.com\"", domain)
	}
	return folded, nil
}

// unprintable reports whether a letter has no place in an address that people see.
func unprintable(r rune) bool { return !unicode.IsPrint(r) || strings.ContainsRune(" <>", r) }

// notInDomain reports whether a letter has no place in a domain.
func notInDomain(r rune) bool {
	return r > unicode.MaxASCII || !unicode.IsPrint(r) || strings.ContainsRune(" @<>()[],;:\\\"*?/%", r)
}
