package survey

import (
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"

	"github.com/milterscan/milterscan/cmd/milterscan/setup"
)

// The lists by which the configurations of Exim's authors and of Debian name the domains they take
// mail for, and the hosts whose mail they pass on.
const (
	eximOurs    = "local_domains"
	eximRelayed = "relay_to_domains"
	eximClients = "relay_from_hosts"
)

// readExim asks Exim for its settings, as "exim -bP" prints them.
func readExim(ctx context.Context, m setup.MTA, _ Places) ([]MTA, error) {
	one := MTA{Name: m.Name, Version: m.Version, Dir: m.Dir, Size: -1}
	ask := func(what string) (string, error) {
		out, err := exec.CommandContext(ctx, m.Program(), "-bP", what).Output()
		_, value, _ := strings.Cut(strings.TrimSpace(string(out)), "=")
		return strings.TrimSpace(value), err
	}
	host, err := ask("primary_hostname")
	if err != nil {
		return nil, fmt.Errorf("%s -bP: %w", m.Program(), err)
	}
	if size, err := ask("message_size_limit"); err == nil {
		one.Size = eximSize(size)
	}
	for _, list := range []string{eximOurs, eximRelayed, eximClients} {
		value, err := ask("+" + list)
		if err != nil {
			one.miss(list, "it has no list of this name")
			continue
		}
		for _, item := range eximItems(value) {
			one.eximItem(list, item, host)
		}
	}
	return []MTA{one}, nil
}

// eximItems splits a list at its colons; a doubled one is part of an item, and "<;" at the
// beginning names another separator.
func eximItems(list string) (items []string) {
	separator := ":"
	if rest, ok := strings.CutPrefix(list, "<"); ok && rest != "" {
		separator, list = rest[:1], rest[1:]
	}
	const doubled = "\x00"
	list = strings.ReplaceAll(list, separator+separator, doubled)
	for item := range strings.SplitSeq(list, separator) {
		if item = strings.TrimSpace(strings.ReplaceAll(item, doubled, separator)); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// eximItem adds one item of a list.
func (m *MTA) eximItem(list, item, host string) {
	if list == eximClients {
		p, err := netip.ParsePrefix(item)
		if a, aErr := netip.ParseAddr(item); aErr == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil || p.Bits() == 0 {
			m.miss(list, item)
			return
		}
		m.Networks = append(m.Networks, p.Masked().String())
		return
	}
	below, isBelow := strings.CutPrefix(item, "*.")
	switch {
	case item == "@":
		m.Domains = append(m.Domains, host)
	case item == "@[]": // addresses of this host
	case isBelow && !strings.ContainsAny(below, "*;!${}/^+"):
		m.Domains = append(m.Domains, "."+below)
	case strings.ContainsAny(item, "*;!${}/^+@"):
		m.miss(list, item)
	default:
		m.Domains = append(m.Domains, strings.ToLower(item))
	}
}

// miss notes an item of a list whose members cannot be listed.
func (m *MTA) miss(list, item string) {
	text := list + ": " + item
	if list == eximClients {
		m.MoreClients = append(m.MoreClients, text)
		return
	}
	m.MoreDomains = append(m.MoreDomains, text)
}

// eximSize reads a size as Exim prints it: "50M".
func eximSize(s string) int64 {
	unit := int64(1)
	if s != "" {
		if shift := strings.IndexByte("KMG", s[len(s)-1]); shift >= 0 {
			unit, s = 1<<(10*(shift+1)), s[:len(s)-1]
		}
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		return -1
	}
	return n * unit
}
