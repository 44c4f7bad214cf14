package postfix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Listing is what a list in main.cf names, as far as it can be listed.
type Listing struct {
	Names    []string // domains, ".example.com" for all below one; or networks
	Unlisted []string // what else is in it, each with its setting: a database, an exception
}

// most bounds what a table or a file may say.
const most = 16 << 20

// domainKeys are the settings with the domains that Postfix takes mail for from anybody.
var domainKeys = []string{"mydestination", "virtual_alias_domains", "virtual_mailbox_domains", "relay_domains"}

// Domains returns the domains that Postfix takes mail for from anybody, in the order of the
// settings that have them.
func (c *Config) Domains(ctx context.Context) Listing {
	below := slices.Contains(elements(c.main["parent_domain_matches_subdomains"]), "relay_domains")
	l := lister{ctx: ctx, tool: c.tool}
	for _, key := range domainKeys {
		l.key = key
		before := len(l.Names)
		l.list(c.main[key], 0)
		if key != "relay_domains" || !below {
			continue
		}
		for _, name := range slices.Clone(l.Names[before:]) {
			if !strings.HasPrefix(name, ".") {
				l.add("." + name)
			}
		}
	}
	return l.Listing
}

// Networks returns the networks whose mail Postfix passes on anywhere.
func (c *Config) Networks() (all Listing) {
	for _, text := range elements(c.main["mynetworks"]) {
		n, err := network(text)
		switch {
		case err != nil:
			all.Unlisted = append(all.Unlisted, "mynetworks: "+text)
		case !slices.Contains(all.Names, n):
			all.Names = append(all.Names, n)
		}
	}
	return all
}

// errEverybody is returned for a network that holds every host.
var errEverybody = errors.New("everybody")

// network reads "192.0.2.0/24", "[2001:db8::]/32" or an address. IPv4 inside IPv6 is IPv4.
func network(text string) (string, error) {
	text = strings.NewReplacer("[", "", "]", "").Replace(text)
	p, err := netip.ParsePrefix(text)
	if err != nil {
		a, err := netip.ParseAddr(text)
		if err != nil {
			return "", err
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if p.Bits() == 0 {
		return "", errEverybody
	}
	return p.Masked().String(), nil
}

// lister puts together what lists name. Each list may name files and tables.
type lister struct {
	Listing
	ctx  context.Context
	tool Tool
	key  string
	have map[string]bool
}

// deepest bounds how far files of names may name further files.
const deepest = 3

// list adds the elements of a list.
func (l *lister) list(text string, depth int) {
	for _, one := range elements(text) {
		kind, path, isTable := strings.Cut(one, ":")
		switch {
		case strings.HasPrefix(one, "["): // an address of this host
		case strings.HasPrefix(one, "/") && depth < deepest:
			l.file(one, depth)
		case isTable:
			l.table(kind, path)
		case strings.ContainsAny(one, "!/{}*"):
			l.miss("%s", one)
		default:
			l.add(one)
		}
	}
}

func (l *lister) miss(format string, args ...any) {
	l.Unlisted = append(l.Unlisted, l.key+": "+fmt.Sprintf(format, args...))
}

func (l *lister) add(name string) {
	if l.have == nil {
		l.have = map[string]bool{}
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if name != "" && !l.have[name] {
		l.have[name] = true
		l.Names = append(l.Names, name)
	}
}

// file adds what a file names; a line that begins with "#" is a comment.
func (l *lister) file(path string, depth int) {
	f, err := os.Open(path)
	if err != nil {
		l.miss("%v", err)
		return
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil || len(text) > most {
		l.miss("%s (%v)", path, err)
		return
	}
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") {
			l.list(line, depth+1)
		}
	}
}

// listable are the kinds of tables whose keys postmap prints.
var listable = []string{"hash", "btree", "lmdb", "cdb", "dbm", "texthash"}

// table adds the keys of a table that are domains. Tables of virtual aliases have addresses as
// well.
func (l *lister) table(kind, path string) {
	if kind == "proxy" {
		kind, path, _ = strings.Cut(path, ":")
	}
	if !slices.Contains(listable, kind) {
		l.miss("%s:%s", kind, path)
		return
	}
	args := []string{"-s", kind + ":" + path}
	if l.tool.Dir != "" {
		args = append([]string{"-c", l.tool.Dir}, args...)
	}
	out, err := run(l.ctx, l.tool.sibling("postmap"), args...)
	if err != nil {
		l.miss("%s:%s (%v)", kind, path, err)
		return
	}
	for line := range strings.Lines(out) {
		if key := first(line); strings.Contains(key, ".") && !strings.Contains(key, "@") {
			l.add(key)
		}
	}
}

func first(line string) string {
	words := strings.Fields(line)
	if len(words) == 0 {
		return ""
	}
	return words[0]
}

// sibling returns a program from the directory of postconf, or from the path.
func (t Tool) sibling(name string) string {
	path := filepath.Join(filepath.Dir(t.Postconf), name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	return name
}

// run runs a program and returns what it prints, if that is not too much.
func run(ctx context.Context, program string, args ...string) (string, error) {
	var complaint strings.Builder
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stderr = &complaint
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	out, err := io.ReadAll(io.LimitReader(pipe, most+1))
	if len(out) > most {
		cmd.Process.Kill()
		cmd.Wait()
		return "", errors.New("it says too much")
	}
	if err := errors.Join(err, cmd.Wait()); err != nil {
		return "", fmt.Errorf("%w: %s", err, strings.TrimSpace(complaint.String()))
	}
	return string(out), nil
}

// Instances returns the directories of configuration of all Postfix instances on this host that
// are enabled, as postmulti(1) lists them: name, group, "y" or "n", directory.
func Instances(ctx context.Context, postconf string) (dirs []string, err error) {
	out, err := run(ctx, Tool{Postconf: postconf}.sibling("postmulti"), "-l")
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) == 4 && f[2] == "y" {
			dirs = append(dirs, f[3])
		}
	}
	return dirs, err
}
