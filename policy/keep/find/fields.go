package find

import (
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// field is a property of records that has a dictionary. Searches look at those first that
// have few values.
type field uint8

const (
	actions field = iota
	engines
	rules
	deciders
	findings
	domains
	users
	addresses // of clients
	names     // likewise
	recipients
	senders
	subjects
	parts // since they are later than the others, blocks of earlier versions have none of these
	hosts
	fields
)

// everywhere reports whether every record has a value of the field.
func (f field) everywhere() bool {
	return slices.Contains([]field{actions, domains, addresses, names, senders}, f)
}

// Bytes that are in no value, since they are in no UTF-8.
const (
	separator = 0xff // between the values of a dictionary
	joint     = 0xfe // between what belongs together in one value
)

// valuesOf returns the values of a record, for each field. They are in lower case, as
// patterns are compared without regard to it.
func valuesOf(r policy.Record) (list [fields][]string) {
	list[actions] = []string{r.Action}
	for _, to := range r.Recipients {
		list[actions] = append(list[actions], to.Action)
		list[recipients] = append(list[recipients], joined(to.Recipient, to.Action))
	}
	for _, s := range r.Scanners {
		list[engines] = append(list[engines], joined(s.Scanner, history.Did(s)...))
	}
	list[rules], list[deciders], list[findings] = lower(history.RulesOf(r)), lower(history.Deciders(r)), lower(history.FindingsOf(r))
	list[domains] = lower(history.DomainsOf(r))
	if r.User != "" {
		list[users] = lower([]string{r.User})
	}
	list[addresses], list[names] = lower(client(r.Client)), lower([]string{r.ClientName})
	list[senders] = lower(r.Senders())
	list[subjects] = tokens(fold(r.Subject))
	list[parts], list[hosts] = contentsOf(r, history.Parts), contentsOf(r, history.Hosts)
	return list
}

// client returns the address of a client as it is written, and as it is usually written.
func client(address string) []string {
	if ip, err := netip.ParseAddr(address); err == nil && ip.Unmap().String() != address {
		return []string{address, ip.Unmap().String()}
	}
	return []string{address}
}

// joined returns texts as one value.
func joined(first string, rest ...string) string {
	var b strings.Builder
	b.WriteString(fold(first))
	for _, s := range rest {
		b.WriteByte(joint)
		b.WriteString(fold(s))
	}
	return b.String()
}

// apart returns the first of the texts that were joined, and the others.
func apart(value string) (first, rest string) {
	first, rest, _ = strings.Cut(value, string([]byte{joint}))
	return first, rest
}

func lower(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = fold(s)
	}
	return out
}

// fold returns a text in lower case, in UTF-8.
func fold(s string) string { return strings.ToLower(strings.ToValidUTF8(s, "\uFFFD")) }

// tokens takes a text apart: into runs of letters and digits, and single other
// characters. White space is left out.
func tokens(s string) (list []string) {
	for len(s) > 0 {
		n := wordLength(s)
		if n == 0 {
			var r rune
			r, n = utf8.DecodeRuneInString(s)
			if unicode.IsSpace(r) {
				s = s[n:]
				continue
			}
		}
		list, s = append(list, s[:n]), s[n:]
	}
	return list
}

// wordLength returns the length of the word at the beginning of s.
func wordLength(s string) int {
	for i, r := range s {
		if !inWord(r) {
			return i
		}
	}
	return len(s)
}

func inWord(r rune) bool {
	return r < utf8.RuneSelf && ('a' <= r && r <= 'z' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z') ||
		r >= utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r))
}
