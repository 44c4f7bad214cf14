package find

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

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
		add(f.Action, want{field: actions, literal: exactly(f.Action)})
	}
	add(f.Engine+f.Did, engine(f))
	add(f.Rule, textual(rules, f.Rule))
	add(f.Reason, textual(deciders, f.Reason), textual(findings, f.Reason))
	add(f.Finding, textual(findings, f.Finding))
	if f.Domains != nil {
		list = append(list, inDomains(f.Domains))
	}
	add(f.User, addressed(users, f.User, policy.AddressesLike(f.User))...)
	add(f.Client, clientLike(f.Client)...)
	add(f.Recipient, recipient(f)...)
	add(f.Sender, addressed(senders, f.Sender, policy.AddressesLike(f.Sender))...)
	return list
}

// exactly returns the literal of one value.
func exactly(s string) string { return between(fold(s)) }

const (
	separators = "\xff"
	joints     = "\xfe"
)

func between(s string) string { return separators + s + separators }

// inDomains wants the values of these domains.
func inDomains(list []string) step {
	s := step{}
	for _, d := range list {
		if strings.HasPrefix(d, ".") {
			s = append(s, want{field: domains, literal: fold(d) + separators})
		} else {
			s = append(s, want{field: domains, literal: exactly(d)})
		}
	}
	return s
}

// engine wants those that did something.
func engine(f history.Filter) want {
	like := policy.TextsLike(f.Engine)
	return want{field: engines, literal: longest(literals(f.Engine)), check: func(value string) bool {
		name, did := apart(value)
		return like(name) && (f.Did == "" || slices.Contains(strings.Split(did, joints), f.Did))
	}}
}

// textual wants values like a pattern of policy.LikeText.
func textual(in field, pattern string) want {
	return holding(in, literals(pattern), policy.TextsLike(pattern))
}

// holding wants values that hold all of some pieces.
func holding(in field, pieces []string, check func(string) bool) want {
	return want{field: in, literal: longest(pieces), more: pieces, check: check}
}

// literals returns the pieces that all texts like a pattern have.
func literals(pattern string) []string {
	pattern = fold(pattern)
	if !strings.Contains(pattern, "*") {
		return []string{pattern}
	}
	return strings.FieldsFunc(pattern, isWild)
}

func isWild(r rune) bool { return r == '*' || r == '?' }

func longest(list []string) string {
	return slices.MaxFunc(append(list, ""), func(a, b string) int { return cmp.Compare(len(a), len(b)) })
}

// addressed wants values that are like a pattern of policy.LikeAddress.
func addressed(in field, pattern string, like func(string) bool) step {
	pattern = fold(strings.TrimSpace(pattern))
	if pattern == "<>" {
		return nobody(in, like)
	}
	if !strings.ContainsAny(pattern, "*?<> \t") && !strings.Contains(pattern, "@.") {
		w := holding(in, []string{pattern}, like)
		if p, err := policy.ParseAddressPattern(pattern); err == nil && strings.Contains(pattern, "@") && p != (policy.AddressPattern{}) {
			w.end = pattern // a domain
		}
		return step{w}
	}
	return step{holding(in, strings.FieldsFunc(pattern, func(r rune) bool { return strings.ContainsRune("*?@<> \t", r) }), like)}
}

// nobody wants the values of the null sender.
func nobody(in field, like func(string) bool) (s step) {
	for _, begin := range []string{separators, joints, "<", ">"} {
		s = append(s, holding(in, []string{separators + begin}, like))
	}
	return s
}

// recipient wants the action taken for a recipient like a pattern.
func recipient(f history.Filter) step {
	like, action := policy.AddressesLike(f.Recipient), fold(f.Action)
	s := addressed(recipients, f.Recipient, func(value string) bool {
		address, became := apart(value)
		return like(address) && (action == "" || action == became)
	})
	for i := range s {
		if action != "" {
			s[i].more = append(s[i].more, joints+action+separators)
		}
	}
	return s
}

// clientLike wants clients like a pattern of policy.LikeClient.
func clientLike(pattern string) step {
	like := policy.ClientsLike(pattern)
	address := want{field: addresses, check: func(value string) bool { return like(value, value) }}
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
	if network.Addr().Is6() {
		return sixLiteral(network)
	}
	octets := network.Bits() / 8
	if octets == 0 {
		return ""
	}
	return separators + strings.Join(strings.SplitAfter(network.Addr().String(), ".")[:octets], "")
}

// sixLiteral returns how addresses of IPv6 in a network begin: with its groups up to one of zeros, which may be left out.
func sixLiteral(network netip.Prefix) string {
	all, out := network.Addr().As16(), separators
	for bit := 0; bit+16 <= network.Bits() && bit < 112; bit += 16 {
		group := uint64(all[bit/8])<<8 | uint64(all[bit/8+1])
		if group == 0 {
			break
		}
		out += strconv.FormatUint(group, 16) + ":"
	}
	if out == separators {
		return ":"
	}
	return out
}

// phrases returns what a pattern asks of subjects: the tokens of every piece between "*",
// one after the other.
func phrases(pattern string) (list []phrase) {
	for _, p := range literals(pattern) {
		if literals := tokenLiterals(tokens(p)); len(literals) > 0 {
			list = append(list, literals[:min(mostTokens, len(literals))])
		}
	}
	slices.SortStableFunc(list, func(a, b phrase) int { return cmp.Compare(len(b), len(a)) })
	return list[:min(mostPhrases, len(list))]
}

// subjectTexts returns what subjects like a pattern hold, as they are in grams: tokens with a blank after each and before the first,
// between separators.
func subjectTexts(pattern string) (list []string) {
	pattern = fold(pattern)
	glob := strings.Contains(pattern, "*")
	pieces := literals(pattern)
	for i, p := range pieces {
		some := tokens(p)
		if len(some) == 0 {
			continue
		}
		text := strings.Join(some, " ")
		if first, _ := utf8.DecodeRuneInString(p); !inWord(first) {
			text = " " + text
		}
		if last, _ := utf8.DecodeLastRuneInString(p); !inWord(last) {
			text += " "
		}
		if glob && i == 0 && strings.HasPrefix(pattern, p) {
			text = separators + " " + strings.TrimPrefix(text, " ")
		}
		if glob && i == len(pieces)-1 && strings.HasSuffix(pattern, p) {
			text = strings.TrimSuffix(text, " ") + " " + separators
		}
		list = append(list, text)
	}
	return list
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
