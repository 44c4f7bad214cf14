package sendmail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Listing is whose mail Sendmail takes, as far as that can be listed.
type Listing struct {
	Domains  []string // that it takes mail for from anybody; ".example.com" for all subdomains
	Networks []string // whose mail it passes on anywhere
	// What else there is, and cannot be listed: domains, and clients.
	MoreDomains, MoreClients []string
}

// classes are asked for in this order: names of this host, what it relays for, virtual
// domains, those that are routed by LDAP.
var classes = []string{"$=w", "$=R", "$={VirtHost}", "$={LDAPRoute}"}

// most bounds what a program or a file may say.
const most = 16 << 20

// List asks Sendmail itself for the members of its classes, and reads the file that its
// access map is made of.
func (c *Config) List(ctx context.Context, program, cf string) (Listing, error) {
	l := Listing{Networks: loopback()} // of which Sendmail takes any mail, whatever it is told
	for _, f := range c.Relays {
		if f == "relay_based_on_MX" {
			l.MoreDomains = append(l.MoreDomains, "FEATURE("+f+")")
			continue
		}
		l.MoreClients = append(l.MoreClients, "FEATURE("+f+")")
	}
	members, err := askClasses(ctx, program, cf)
	if err != nil {
		return l, err
	}
	for i, class := range members {
		for _, name := range class {
			l.add(name, classes[i] == "$=R")
		}
	}
	if c.Access != "" {
		l.access(c.Access)
	}
	return l, nil
}

// loopback returns the networks of this host itself.
func loopback() []string { return []string{"127.0.0.0/8", "::1"} }

// askClasses has Sendmail print the members of classes, in its mode for trying addresses: each
// answer begins after "> ".
func askClasses(ctx context.Context, program, cf string) ([][]string, error) {
	cmd := exec.CommandContext(ctx, program, "-C", cf, "-bt")
	cmd.Stdin = strings.NewReader(strings.Join(classes, "\n") + "\n")
	var complaint strings.Builder
	cmd.Stderr = &complaint
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	out, readErr := io.ReadAll(io.LimitReader(pipe, most+1))
	if len(out) > most {
		cmd.Process.Kill()
		readErr = errors.New("it lists too much")
	}
	if err := errors.Join(readErr, cmd.Wait()); err != nil {
		return nil, fmt.Errorf("%s -C %s -bt: %w: %s", program, cf, err, strings.TrimSpace(complaint.String()))
	}
	all, ok := answers(string(out))
	if !ok {
		return nil, fmt.Errorf("%s -C %s -bt: it does not list its classes: %s", program, cf, strings.TrimSpace(complaint.String()))
	}
	return all, nil
}

// prompt is what Sendmail writes before each question: before the first answer, too, and at once
// again after a class without members.
const prompt = "> "

// answers takes apart what Sendmail has written; ok is false where questions were not answered.
func answers(out string) (all [][]string, ok bool) {
	all = make([][]string, len(classes))
	at := -1
	for line := range strings.Lines(out) {
		for rest := true; rest; {
			if line, rest = strings.CutPrefix(line, prompt); rest {
				at++
			}
		}
		if name := strings.TrimSpace(line); at >= 0 && at < len(classes) && name != "" && !strings.ContainsAny(name, " >") {
			all[at] = append(all[at], name)
		}
	}
	return all, at >= len(classes)
}

// add adds a member of a class. One of class R is a network, or a domain with all below it.
func (l *Listing) add(name string, relayed bool) {
	switch network, ok := networkOf(name); {
	case strings.HasPrefix(name, "["), name == "":
	case relayed && ok:
		l.network(network)
	case relayed && !strings.HasPrefix(name, "."):
		l.domain(name)
		l.domain("." + name)
	default:
		l.domain(name)
	}
}

func (l *Listing) domain(name string) {
	if name = strings.ToLower(name); !slices.Contains(l.Domains, name) {
		l.Domains = append(l.Domains, name)
	}
}

func (l *Listing) network(n string) {
	if !slices.Contains(l.Networks, n) {
		l.Networks = append(l.Networks, n)
	}
}

// networkOf reads a network as Sendmail writes it: "192.0.2" is 192.0.2.0/24, and
// "IPv6:2001:db8::1" one host.
func networkOf(name string) (string, bool) {
	if rest, ok := strings.CutPrefix(name, "IPv6:"); ok {
		return rest, strings.Count(rest, ":") == 7 || strings.Contains(rest, "::")
	}
	numbers := strings.Split(name, ".")
	if len(numbers) > 4 || strings.Trim(name, "0123456789.") != "" || slices.Contains(numbers, "") {
		return "", false
	}
	bits := 8 * len(numbers)
	for len(numbers) < 4 {
		numbers = append(numbers, "0")
	}
	return fmt.Sprintf("%s/%d", strings.Join(numbers, "."), bits), true
}

// access reads the file that the access map is made of: "Connect:192.0.2 RELAY",
// "To:example.com RELAY", and both in one without a tag.
func (l *Listing) access(file string) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(file + ".db"); err == nil {
			l.unread(file + ".db, whose source is not there")
		}
		return
	}
	if err != nil {
		l.unread(err.Error())
		return
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil || len(text) > most {
		l.unread(file)
		return
	}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) < 2 || strings.HasPrefix(words[0], "#") || words[1] != "RELAY" {
			continue
		}
		l.relay(words[0])
	}
}

// unread notes an access map that may let anything through.
func (l *Listing) unread(file string) {
	l.MoreDomains, l.MoreClients = append(l.MoreDomains, file), append(l.MoreClients, file)
}

// relay adds what an entry of the access map lets through.
func (l *Listing) relay(key string) {
	tag, name, tagged := strings.Cut(key, ":")
	if !tagged {
		tag, name = "", key
	}
	switch tag = strings.ToLower(tag); {
	case tag == "to", tag == "connect", tag == "":
	case tag == "ipv6":
		tag, name = "connect", "IPv6:"+name
	default: // "From:", "GreetPause:" and others let no mail through for a domain of ours
		return
	}
	network, ok := networkOf(name)
	switch {
	case strings.Contains(name, "@"):
		return
	case ok && tag != "to":
		l.network(network)
	case tag == "connect":
		l.MoreClients = append(l.MoreClients, "Connect:"+name+" in the access map, which is no network")
	default:
		l.add(name, true)
	}
}
