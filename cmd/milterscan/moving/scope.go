package moving

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy"
)

// scope is the mail that a rule is for: of each list that is not empty, one must match.
type scope struct{ from, to, client []entry }

// everybody reports whether the scope is all mail.
func (s scope) everybody() bool { return len(s.from)+len(s.to)+len(s.client) == 0 }

// lists returns the conditions in the order of scopeKeys.
func (s *scope) lists() []*[]entry { return []*[]entry{&s.from, &s.to, &s.client} }

// scopeKeys are the keys of rules for the lists of a scope.
var scopeKeys = []string{"from", "to", "client"}

// pairs returns how many pairs of entries within compares.
func (s scope) pairs(with scope) int {
	return len(s.from)*len(with.from) + len(s.to)*len(with.to) + len(s.client)*len(with.client)
}

// within returns the scope of the mail that both scopes are for; some is false if there is no such mail.
func (s scope) within(o scope) (both scope, some bool) {
	mine, theirs, out := s.lists(), o.lists(), both.lists()
	for i := range out {
		switch {
		case len(*mine[i]) == 0:
			*out[i] = *theirs[i]
		case len(*theirs[i]) == 0:
			*out[i] = *mine[i]
		default:
			for _, a := range *mine[i] {
				for _, b := range *theirs[i] {
					switch {
					case covers(a.value, b.value):
						*out[i] = append(*out[i], b)
					case covers(b.value, a.value):
						*out[i] = append(*out[i], a)
					}
				}
			}
			if len(*out[i]) == 0 {
				return scope{}, false
			}
		}
	}
	return both, true
}

// covers reports whether all mail of a scope is mail of this one.
func (s scope) covers(o scope) bool {
	mine, theirs := s.lists(), o.lists()
	for i := range mine {
		if len(*mine[i]) == 0 {
			continue
		}
		if len(*theirs[i]) == 0 {
			return false
		}
		for _, b := range *theirs[i] {
			if !slices.ContainsFunc(*mine[i], func(a entry) bool { return covers(a.value, b.value) }) {
				return false
			}
		}
	}
	return true
}

// covers reports whether a pattern matches all that another one matches, as far as that can be seen.
func covers(a, b string) bool {
	if a == b || a == "*" {
		return true
	}
	p, errA := netip.ParsePrefix(a)
	q, errB := netip.ParsePrefix(b)
	if errA == nil && errB == nil {
		return p.Bits() <= q.Bits() && p.Contains(q.Addr())
	}
	_, domain, ok := strings.Cut(b, "@")
	if !ok {
		return strings.HasPrefix(a, ".") && strings.HasSuffix(b, a)
	}
	return a == "@"+domain || a == "*@"+domain || strings.HasPrefix(a, ".") && strings.HasSuffix(domain, a)
}

// write writes the conditions into a rule; a long list goes into a file.
func (t *taking) write(rule *section, s scope, origin string) {
	const most = 8
	for i, list := range s.lists() {
		switch {
		case len(*list) == 0:
		case len(*list) <= most:
			rule.entries(scopeKeys[i], *list, origin)
		default:
			var b strings.Builder
			fmt.Fprintf(&b, "# Of %s\n", oneLine(origin))
			for _, e := range *list {
				fmt.Fprintf(&b, "%s  # %s\n", e.value, oneLine(e.origin))
			}
			file := t.list(fmt.Sprintf("%s-%d", scopeKeys[i], len(t.lists)+1), b.String())
			rule.words(scopeKeys[i], []string{"file:" + file}, origin)
		}
	}
}

// pattern translates a pattern of a ruleset into patterns of a rule.
func pattern(text string) (addresses, networks []string, err error) {
	lower := strings.ToLower(text)
	switch {
	case lower == "default" || lower == "*" || lower == "*@*":
		return nil, nil, nil
	case strings.HasPrefix(lower, "host:"):
		return nil, nil, errors.New("the names of clients are not a condition of rules, " +
			"since whoever has an address can name it; write its network into client")
	case len(text) > 2 && text[0] == '/' && text[len(text)-1] == '/':
		return expressed(text[1 : len(text)-1])
	}
	if n, ok := network(lower); ok {
		return nil, []string{n}, nil
	}
	a, err := address(lower)
	if err != nil {
		return nil, nil, err
	}
	return []string{a}, nil, nil
}

// expressed translates an expression into patterns; one without letters is about addresses of clients.
func expressed(text string) (addresses, networks []string, err error) {
	list, err := globs(text)
	if err != nil {
		return nil, nil, fmt.Errorf("%w; write the addresses as patterns, such as \"boss*@example.com\"", err)
	}
	for _, g := range list {
		if !strings.ContainsFunc(strings.Trim(g, "*"), func(r rune) bool { return r == '@' || r >= 'a' && r <= 'z' }) {
			n, ok := network(strings.TrimSuffix(g, "*"))
			if !ok {
				return nil, nil, fmt.Errorf("%q is not a network", g)
			}
			networks = append(networks, n)
			continue
		}
		a, err := address(g)
		if err != nil {
			return nil, nil, err
		}
		addresses = append(addresses, a)
	}
	if len(addresses) > 0 && len(networks) > 0 {
		return nil, nil, errors.New("the expression is about addresses of mail and of clients at once; " +
			"write a line for each")
	}
	return addresses, networks, nil
}

// network makes a network of an address, of the beginning of one, or of one with a mask.
func network(s string) (string, bool) {
	if ip, mask, ok := strings.Cut(s, "/"); ok {
		if a, err := netip.ParseAddr(mask); err == nil && a.Is4() {
			ones := ones(a)
			if ones < 0 {
				return "", false
			}
			s = fmt.Sprintf("%s/%d", ip, ones)
		}
		p, err := netip.ParsePrefix(s)
		return p.Masked().String(), err == nil
	}
	if a, err := netip.ParseAddr(s); err == nil {
		p, err := a.Prefix(a.BitLen())
		return p.String(), err == nil
	}
	if s == "" || strings.Trim(s, "0123456789.") != "" {
		return "", false
	}
	bytes := strings.Split(strings.TrimSuffix(s, "."), ".")
	if len(bytes) > 3 {
		return "", false
	}
	bits := 8 * len(bytes)
	for len(bytes) < 4 {
		bytes = append(bytes, "0")
	}
	p, err := netip.ParsePrefix(fmt.Sprintf("%s/%d", strings.Join(bytes, "."), bits))
	return p.String(), err == nil
}

// ones counts the leading bits of a mask; -1 if others follow.
func ones(mask netip.Addr) int {
	n, ended := 0, false
	for _, b := range mask.As4() {
		for bit := 7; bit >= 0; bit-- {
			switch set := b>>bit&1 == 1; {
			case set && ended:
				return -1
			case set:
				n++
			default:
				ended = true
			}
		}
	}
	return n
}

// address makes a pattern of addresses.
func address(s string) (string, error) {
	switch {
	case strings.HasPrefix(s, "."):
	case strings.HasPrefix(s, "*@*."):
		s = s[3:]
	case strings.HasPrefix(s, "*@"):
		s = s[1:]
	case strings.HasPrefix(s, "*."):
		s = s[1:]
	case !strings.Contains(s, "@") && strings.Contains(s, "."):
		s = "@" + s
	case strings.HasSuffix(s, "@"):
		s += "*"
	}
	if strings.ContainsAny(s, "#/") || strings.HasPrefix(s, "file:") || strings.HasPrefix(s, "list:") ||
		strings.HasPrefix(s, "group:") {
		return "", fmt.Errorf("%q is not the pattern of an address", s)
	}
	if _, err := policy.ParseAddressPattern(s); err != nil {
		return "", err
	}
	return s, nil
}
