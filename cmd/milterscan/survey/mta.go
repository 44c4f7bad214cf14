package survey

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/milterscan/milterscan/cmd/milterscan/postfix"
	"github.com/milterscan/milterscan/cmd/milterscan/sendmail"
	"github.com/milterscan/milterscan/cmd/milterscan/setup"
)

// MTA is a mail server, or one instance of Postfix.
type MTA struct {
	Name, Version, Dir string

	Domains  []string // that it takes mail for from any client
	Networks []string // whose mail it passes on to any domain
	// Further domains and clients, which cannot be listed.
	MoreDomains, MoreClients []string

	Size  int64    // of the largest message it takes; 0 for no limit, -1 if that is not known
	Asks  []string // the milters it asks, in their order
	Hands string   // the program that it hands mail to, "" for none: content_filter

	Socket string // where it finds milterscan best, "" for where milterscan listens anyway
	Group  string // whose group has to reach the socket
}

// mtas reads the named MTA, or all of this host. One that cannot be read is an error, as its
// domains would be missing.
func (p Places) mtas(ctx context.Context) (all []MTA, err error) {
	found := setup.Find(ctx)
	if p.MTA != "" {
		m, err := setup.Lookup(ctx, p.MTA, p.At)
		if err != nil {
			return nil, err
		}
		found = []setup.MTA{m}
	}
	for _, m := range found {
		read := map[string]func(context.Context, setup.MTA, Places) ([]MTA, error){
			"postfix": readPostfix, "sendmail": readSendmail, "exim": readExim,
		}[m.Name]
		some, err := read(ctx, m, p)
		if err != nil && len(found) > 1 {
			return nil, fmt.Errorf("%s: its settings cannot be read: %w; name the MTA that counts, "+
				"to leave this one out", m.Name, err)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: its settings cannot be read: %w", m.Name, err)
		}
		all = append(all, some...)
	}
	return all, nil
}

// readPostfix reads all instances, or the one whose directory was named.
func readPostfix(ctx context.Context, m setup.MTA, p Places) (all []MTA, err error) {
	dirs := []string{m.Dir}
	if p.At.Dir == "" {
		if more, err := postfix.Instances(ctx, m.Program()); err == nil && len(more) > 1 {
			dirs = more
		}
	}
	for _, dir := range dirs {
		c, err := postfix.Read(ctx, postfix.Tool{Postconf: m.Program(), Dir: dir})
		if err != nil {
			return nil, err
		}
		one := MTA{Name: m.Name, Version: m.Version, Dir: dir, Size: number(c.Main("message_size_limit")),
			Hands: c.Main("content_filter"), Socket: "unix:" + filepath.Join(c.Queue(), "milterscan", "milter.sock"),
			Group: c.Group()}
		domains, networks := c.Domains(ctx), c.Networks()
		one.Domains, one.MoreDomains = domains.Names, domains.Unlisted
		one.Networks, one.MoreClients = networks.Names, networks.Unlisted
		for _, s := range c.Servers() {
			if s.Main() || one.Asks == nil {
				one.Asks = others(c, s, one.Socket)
			}
			if s.Main() {
				break
			}
		}
		all = append(all, one)
	}
	return all, nil
}

// others returns the milters that a server asks beside milterscan, which an earlier setup may have put there.
func others(c *postfix.Config, s postfix.Service, ours string) []string {
	all := []string{}
	for _, m := range c.Milters(s) {
		if !c.Means(m.Address, ours) {
			all = append(all, m.Address)
		}
	}
	return all
}

// ourFilter is what contrib/sendmail/milterscan.m4 calls milterscan.
const ourFilter = "milterscan"

// readSendmail reads sendmail.cf, and asks Sendmail for its classes.
func readSendmail(ctx context.Context, m setup.MTA, _ Places) ([]MTA, error) {
	cf := filepath.Join(m.Dir, "sendmail.cf")
	c, err := sendmail.Read(cf)
	if err != nil {
		return nil, err
	}
	l, err := c.List(ctx, m.Program(), cf)
	if err != nil {
		return nil, err
	}
	one := MTA{Name: m.Name, Version: m.Version, Dir: m.Dir, Domains: l.Domains, Networks: l.Networks,
		MoreDomains: l.MoreDomains, MoreClients: l.MoreClients, Size: number(cmp.Or(c.Options["MaxMessageSize"], "0"))}
	for _, f := range c.Asked() {
		if f.Name != ourFilter {
			one.Asks = append(one.Asks, f.Name+" at "+f.Socket)
		}
	}
	return []MTA{one}, nil
}

// number reads a number of bytes; -1 if it is none.
func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return -1
	}
	return n
}
