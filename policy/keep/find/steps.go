package find

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// Bounds of the data that is looked up of a pattern for subjects. What that lets through is read in
// any case.
const (
	mostTokens  = 8 // of a phrase
	mostPhrases = 4
)

// steps returns what a filter asks of dictionaries, the smallest of them first.
func steps(f history.Filter) (list []step) {
	add := func(pattern string, w ...want) {
		if pattern != "" {
			list = append(list, w)
		}
	}
	if f.Recipient == "" {
		add(f.Action, want{actions, exactly(f.Action), nil})
	}
	add(f.Engine+f.Did, engine(f))
	add(f.Rule, textual(rules, f.Rule))
	add(f.Reason, textual(deciders, f.Reason), textual(findings, f.Reason))
	add(f.Finding, textual(findings, f.Finding))
	if f.Domains != nil {
		list = append(list, inDomains(f.Domains))
	}
	add(f.User, addressed(users, f.User, policy.AddressesLike(f.User)))
	add(f.Client, clientLike(f.Client)...)
	add(f.Recipient, recipient(f))
	add(f.Sender, addressed(senders, f.Sender, policy.AddressesLike(f.Sender)))
	return list
}

// exactly returns the literal of one value.
func exactly(s string) string { return between(fold(s)) }

const separators = "\xff"

func between(s string) string { return separators + s + separators }

// inDomains wants the values of these domains.
func inDomains(list []string) step {
	s := step{}
	for _, d := range list {
		if strings.HasPrefix(d, ".") {
			s = append(s, want{domains, fold(d) + separators, nil})
		} else {
			s = append(s, want{domains, exactly(d), nil})
		}
	}
	return s
}

// engine wants those that did something.
func engine(f history.Filter) want {
	like := policy.TextsLike(f.Engine)
	return want{engines, literal(f.Engine), func(value string) bool {
		name, did := apart(value)
		return like(name) && (f.Did == "" || slices.Contains(strings.Split(did, "\xfe"), f.Did))
	}}
}

// textual wants values like a pattern of policy.LikeText.
func textual(in field, pattern string) want {
	return want{in, literal(pattern), policy.TextsLike(pattern)}
}

// literal returns the longest piece that all texts like a pattern have.
func literal(pattern string) string {
	pattern = fold(pattern)
	if !strings.Contains(pattern, "*") {
		return pattern
	}
	return longest(strings.FieldsFunc(pattern, func(r rune) bool { return r == '*' || r == '?' }))
}

func longest(list []string) string {
	return slices.MaxFunc(append(list, ""), func(a, b string) int { return cmp.Compare(len(a), len(b)) })
}

// addressed wants values that are like a pattern of policy.LikeAddress.
func addressed(in field, pattern string, like func(string) bool) want {
	pattern = fold(strings.TrimSpace(pattern))
	if !strings.ContainsAny(pattern, "*?<> \t") && !strings.Contains(pattern, "@.") {
		return want{in, pattern, like}
	}
	pieces := strings.FieldsFunc(pattern, func(r rune) bool { return strings.ContainsRune("*?@<> \t", r) })
	return want{in, longest(pieces), like}
}

// recipient wants the action taken for a recipient like a pattern.
func recipient(f history.Filter) want {
	like, action := policy.AddressesLike(f.Recipient), fold(f.Action)
	return addressed(recipients, f.Recipient, func(value string) bool {
		address, became := apart(value)
		return like(address) && (action == "" || action == became)
	})
}

// clientLike wants clients like a pattern of policy.LikeClient.
func clientLike(pattern string) step {
	like := policy.ClientsLike(pattern)
	address := want{addresses, "", func(value string) bool { return like(value, value) }}
	if network, err := netip.ParsePrefix(pattern); err == nil {
		address.literal = networkLiteral(network.Masked())
		if network.Addr().Is4() && network.Bits() > 0 && network.Bits() < 32 && network.Bits()%8 == 0 {
			address.check = nil // the text says all
		}
		return step{address}
	}
	if ip, err := netip.ParseAddr(pattern); err == nil {
		address.literal = between(fold(ip.Unmap().String()))
		return step{address}
	}
	return step{textual(addresses, pattern), textual(names, pattern)}
}

// networkLiteral returns what the addresses in a network have, as text.
func networkLiteral(network netip.Prefix) string {
	octets := network.Bits() / 8
	switch {
	case network.Addr().Is6():
		return ":"
	case octets == 0:
		return ""
	}
	return separators + strings.Join(strings.SplitAfter(network.Addr().String(), ".")[:octets], "")
}

// phrases returns what a pattern asks of subjects: the tokens of every piece between "*",
// one after the other.
func phrases(pattern string) (list []phrase) {
	pattern = fold(pattern)
	pieces := []string{pattern}
	if strings.Contains(pattern, "*") {
		pieces = strings.FieldsFunc(pattern, func(r rune) bool { return r == '*' || r == '?' })
	}
	for _, p := range pieces {
		if literals := tokenLiterals(tokens(p)); len(literals) > 0 {
			list = append(list, literals[:min(mostTokens, len(literals))])
		}
	}
	slices.SortStableFunc(list, func(a, b phrase) int { return cmp.Compare(len(b), len(a)) })
	return list[:min(mostPhrases, len(list))]
}

// tokenLiterals returns literals of the tokens of a piece of text: the first may be the
// end of a longer word, and the last the beginning of one.
func tokenLiterals(tokens []string) []string {
	out := make([]string, len(tokens))
	for i, t := range tokens {
		l := t
		if i > 0 || wordLength(t) == 0 {
			l = separators + l
		}
		if i < len(tokens)-1 || wordLength(t) == 0 {
			l += separators
		}
		out[i] = l
	}
	return out
}
