// Package sendmail reads what Sendmail goes by: the filters and options of sendmail.cf, and
// the domains and networks it accepts mail for and from. It changes nothing.
package sendmail

import (
	"bufio"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Config is the part of sendmail.cf that milters depend on.
type Config struct {
	Filters []Filter
	Options map[string]string // by their names: "MaxMessageSize"
	Access  string            // the file of FEATURE(access_db), without the ending of a table; "" for none
	Relays  []string          // the features that let mail through for domains which are on no list
}

// Filter is one milter in sendmail.cf: "Xname, S=…, F=…, T=…".
type Filter struct {
	Name, Socket, Failure string
	Times                 map[byte]time.Duration // by the letter before the colon
}

var (
	// option is "O Name=value".
	option = regexp.MustCompile(`^O\s*(\w+)\s*=\s*(.*)$`)
	// feature is the line by which m4 says in sendmail.cf which feature was used.
	feature = regexp.MustCompile(`^#####\s+\$Id: (promiscuous_relay|relay_based_on_MX|relay_local_from|relay_mail_from)\.m4,`)
	// access is the map of FEATURE(access_db): "Kaccess hash -T<TMPF> /etc/mail/access".
	access = regexp.MustCompile(`^Kaccess\s+(?:hash|btree|dbm|cdb)\s+(?:-\S+\s+)*(/\S+)`)
)

// Read reads a sendmail.cf.
func Read(path string) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c := &Config{Options: map[string]string{}}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		c.line(lines.Text())
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// line takes what one line says.
func (c *Config) line(line string) {
	if m := option.FindStringSubmatch(line); m != nil {
		c.Options[m[1]] = strings.TrimSpace(m[2])
	} else if text, ok := strings.CutPrefix(line, "X"); ok {
		c.Filters = append(c.Filters, parseFilter(text))
	} else if m := feature.FindStringSubmatch(line); m != nil {
		c.Relays = append(c.Relays, m[1])
	} else if m := access.FindStringSubmatch(line); m != nil {
		c.Access = strings.TrimSuffix(m[1], ".db")
	}
}

// Asked returns the filters that Sendmail asks, in their order: those that InputMailFilters
// names.
func (c *Config) Asked() (asked []Filter) {
	for name := range strings.SplitSeq(c.Options["InputMailFilters"], ",") {
		for _, f := range c.Filters {
			if f.Name == strings.TrimSpace(name) {
				asked = append(asked, f)
			}
		}
	}
	return asked
}

// parseFilter reads a line after its X. Times that are not given are
// Sendmail's own.
func parseFilter(text string) Filter {
	words := strings.Split(text, ",")
	f := Filter{Name: strings.TrimSpace(words[0]), Times: map[byte]time.Duration{'C': 5 * time.Minute, 'S': 10 * time.Second,
		'R': 10 * time.Second, 'E': 5 * time.Minute}}
	for _, w := range words[1:] {
		key, value, _ := strings.Cut(strings.TrimSpace(w), "=")
		switch key {
		case "S":
			f.Socket = value
		case "F":
			f.Failure = value
		case "T":
			for t := range strings.SplitSeq(value, ";") {
				letter, length, _ := strings.Cut(strings.TrimSpace(t), ":")
				if d, ok := sendmailTime(length); ok && len(letter) == 1 {
					f.Times[letter[0]] = d
				}
			}
		}
	}
	return f
}

// sendmailTime reads a time as Sendmail writes it: "1m30s"; without a letter, in
// seconds here.
func sendmailTime(s string) (time.Duration, bool) {
	if n, err := strconv.Atoi(s); err == nil {
		return time.Duration(n) * time.Second, true
	}
	d, err := time.ParseDuration(s)
	return d, err == nil
}
