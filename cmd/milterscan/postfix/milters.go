package postfix

import (
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan/units"
)

// Milter is one element of smtpd_milters or non_smtpd_milters.
type Milter struct {
	Address string // "unix:milterscan/milter.sock", "inet:localhost:7357"
	Text    string // the whole element, with its braces
	own     map[string]string
}

// Own returns a setting in the braces of the element, such as default_action.
func (m Milter) Own(name string) (value string, ok bool) {
	value, ok = m.own[name]
	return value, ok
}

// ParseMilters takes a list of milters apart. Blanks and commas separate its
// elements. An element in braces begins with the address; "name = value" follow,
// separated in the same way.
func ParseMilters(list string) (all []Milter) {
	for _, text := range elements(list) {
		m := Milter{Address: text, Text: text, own: map[string]string{}}
		if inner, ok := strings.CutPrefix(text, "{"); ok {
			m.Address = ""
			for i, word := range elements(joined(strings.TrimSuffix(inner, "}"))) {
				name, value, isSetting := strings.Cut(word, "=")
				switch {
				case i == 0:
					m.Address = word
				case isSetting:
					m.own[name] = strings.TrimSpace(strings.Trim(value, "{}"))
				}
			}
		}
		all = append(all, m)
	}
	return all
}

// elements splits a list at blanks and commas outside of braces.
func elements(list string) (all []string) {
	depth, start := 0, -1
	for i, r := range list + " " {
		switch {
		case r == '{':
			depth++
		case r == '}':
			depth--
		case depth > 0:
		case r == ' ' || r == ',' || r == '\t' || r == '\n' || r == '\r':
			if start >= 0 {
				all = append(all, list[start:i])
			}
			start = -1
			continue
		}
		if start < 0 {
			start = i
		}
	}
	if depth > 0 && start >= 0 { // a brace is not closed: Postfix complains, too
		all = append(all, strings.TrimSpace(list[start:]))
	}
	return all
}

// joined takes the blanks around "=" away.
func joined(s string) string {
	parts := strings.Split(s, "=")
	for i := range parts {
		if i > 0 {
			parts[i] = strings.TrimLeft(parts[i], " \t\r\n")
		}
		if i < len(parts)-1 {
			parts[i] = strings.TrimRight(parts[i], " \t\r\n")
		}
	}
	return strings.Join(parts, "=")
}

// Milters returns the milters that an SMTP server asks.
func (c *Config) Milters(s Service) []Milter {
	if strings.Contains(c.Value(s, "receive_override_options"), "no_milters") {
		return nil
	}
	return ParseMilters(c.Value(s, "smtpd_milters"))
}

// Submitted returns the milters that are asked about mail from programs on this host.
func (c *Config) Submitted() []Milter {
	s := c.Cleanup()
	if strings.Contains(c.Value(s, "receive_override_options"), "no_milters") {
		return nil
	}
	return ParseMilters(c.Value(s, "non_smtpd_milters"))
}

// Setting returns a setting that counts where a service asks a milter, by its name
// in braces: "default_action" is milter_default_action for those without.
func (c *Config) Setting(s Service, m Milter, name string) string {
	if value, ok := m.own[name]; ok {
		return value
	}
	return c.Value(s, "milter_"+name)
}

// Queue returns the queue directory.
func (c *Config) Queue() string { return filepath.Clean(c.main["queue_directory"]) }

// Reach returns the address at which a service finds a milter, in milterscan's
// words: "unix:" and a path as this host sees it, or "tcp:host:port"; "" for what
// is neither.
func (c *Config) Reach(s Service, address string) string {
	network, where, _ := strings.Cut(address, ":")
	switch network {
	case "unix", "local":
		if s.Chroot || !filepath.IsAbs(where) {
			where = filepath.Join(c.Queue(), where)
		}
		return "unix:" + filepath.Clean(where)
	case "inet", "inet6":
		return "tcp:" + where
	}
	return ""
}

// Same reports whether a service that asks the milter at theirs reaches what
// milterscan listens at as ours. A TCP port counts, whatever the name of the host.
func (c *Config) Same(s Service, theirs, ours string) bool {
	reached := c.Reach(s, theirs)
	network, where := units.SplitAddress(ours)
	if network == "tcp" {
		return strings.HasPrefix(reached, "tcp:") && port(reached) == port(where)
	}
	return reached == "unix:"+filepath.Clean(where)
}

// Means reports whether an element names an address that milterscan listens at, rightly
// or as a process outside of the chroot would.
func (c *Config) Means(address, ours string) bool {
	inside, outside := Service{Chroot: true}, Service{}
	return c.Same(inside, address, ours) || c.Same(outside, address, ours)
}

func port(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }

// Spell returns an address of milterscan's in Postfix' words, so that services in a
// chroot and outside find the same socket; ok is false where those in the chroot
// cannot reach it.
func (c *Config) Spell(ours string) (address string, ok bool) {
	network, where := units.SplitAddress(ours)
	if network == "tcp" {
		return "inet:" + where, true
	}
	if below, inQueue := strings.CutPrefix(filepath.Clean(where), c.Queue()+"/"); inQueue {
		return "unix:" + below, true
	}
	_, chroot := c.Jailed()
	return "unix:" + where, !chroot
}

// Jailed returns the first service that asks milters and runs in a chroot.
func (c *Config) Jailed() (Service, bool) {
	for _, s := range c.Services {
		if (s.Program == "smtpd" || s.Program == "cleanup") && s.Chroot {
			return s, true
		}
	}
	return Service{}, false
}

// Time reads a time as Postfix writes it: a number and one letter.
func Time(s string) (time.Duration, bool) {
	unit := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	if s == "" {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimRight(s, "smhdw"), 10, 32)
	each, ok := unit[s[len(s)-1]]
	if !ok {
		each = time.Second
	}
	return time.Duration(n) * each, err == nil
}
