package origin

import (
	"errors"
	"net/mail"
	"strings"

	"github.com/milterscan/milterscan/scan/format/entity"
)

// Errors of Author.
var (
	ErrNoAuthor   = errors.New("there is no From field with an address")
	ErrTwoAuthors = errors.New("the From field can be read as one of several domains")
)

// Author returns the domain that clients show as the message's, in lower case: the
// one in its From field. A message that can be read to come from more than one
// has none.
func Author(h entity.Header) (string, error) {
	domains := Authors(h)
	switch len(domains) {
	case 0:
		return "", ErrNoAuthor
	case 1:
		return domains[0], nil
	}
	return "", ErrTwoAuthors
}

// maxAuthors bounds the domains of a message.
const maxAuthors = 20

// Authors returns the domains in all From fields, in lower case and without repeats.
// A field that is well-formed has those of its addresses; of any other, all that
// could be taken for an address counts.
func Authors(h entity.Header) []string {
	var domains []string
	seen := map[string]bool{}
	for _, value := range h.Values("From") {
		for _, d := range fieldDomains(value[:min(len(value), longestField)]) {
			if d != "" && !seen[d] && len(domains) < maxAuthors {
				seen[d] = true
				domains = append(domains, d)
			}
		}
	}
	return domains
}

func fieldDomains(value string) []string {
	var domains []string
	list, err := mail.ParseAddressList(value)
	if err == nil {
		for _, a := range list {
			domains = append(domains, Domain(a.Address))
		}
		return domains
	}
	for _, word := range strings.FieldsFunc(value, betweenAddresses) {
		if strings.Contains(word, "@") {
			domains = append(domains, Domain(word))
		}
	}
	return domains
}

func betweenAddresses(r rune) bool { return r <= ' ' || strings.ContainsRune("<>(),;:\"[]", r) }

// Domain returns the part of an address after its last "@", in lower case and
// without a final dot; "" if there is none.
func Domain(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return ""
	}
	return strings.ToLower(strings.TrimSuffix(strings.TrimSpace(address[at+1:]), "."))
}
