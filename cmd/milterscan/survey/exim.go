package survey

import (
	"context"
	"errors"
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
	x := eximLists{mta: &one, program: m.Program(), seen: map[string]bool{}}
	var err error
	if x.host, err = x.ask(ctx, "primary_hostname"); err != nil {
		return nil, err
	}
	if size, err := x.ask(ctx, "message_size_limit"); err == nil {
		one.Size = eximSize(size)
	}
	for _, list := range []string{eximOurs, eximRelayed, eximClients} {
		x.read(ctx, list, list)
	}
	return []MTA{one}, nil
}

// eximLists reads lists of domains and hosts.
type eximLists struct {
	mta           *MTA
	program, host string
	seen          map[string]bool // the lists that were read, each for one of the three
}

// mostNamed bounds the lists that are read; further ones are named to the administrator.
const mostNamed = 32

// ask returns a setting. The error has what Exim says, such as the line of its configuration that is wrong.
func (x *eximLists) ask(ctx context.Context, what string) (string, error) {
	out, err := exec.CommandContext(ctx, x.program, "-bP", what).Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		err = fmt.Errorf("%w: %.300s", err, complaint(string(failed.Stderr)))
	}
	if err != nil {
		return "", fmt.Errorf("%s -bP %s: %w", x.program, what, err)
	}
	_, value, _ := strings.Cut(strings.TrimSpace(string(out)), "=")
	return strings.TrimSpace(value), nil
}

// complaint returns what Exim says is wrong with its configuration, which it says several times: the line that names
// the place, and the one after it.
func complaint(said string) string {
	const begin = "Exim configuration error"
	said = strings.ToValidUTF8(said, "?")
	if i := strings.Index(said, begin); i >= 0 {
		lines := strings.SplitN(said[i:], "\n", 3)
		said = strings.Join(lines[:min(len(lines), 2)], " ")
	}
	return strings.Join(strings.Fields(said), " ")
}

// read adds the items of a named list, and of the lists that it names, to one of the three lists.
func (x *eximLists) read(ctx context.Context, list, named string) {
	if x.seen[list+named] {
		return
	}
	x.seen[list+named] = true
	value, err := x.ask(ctx, "+"+named)
	if err != nil {
		x.mta.miss(list, "Exim has no list +"+named)
		return
	}
	for _, item := range eximItems(value) {
		further, isList := strings.CutPrefix(item, "+")
		if isList && len(x.seen) < mostNamed {
			x.read(ctx, list, further)
			continue
		}
		x.mta.eximItem(list, item, x.host)
	}
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
