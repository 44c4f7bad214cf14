package doctor

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan/units"
)

// remake is the advice by which a change of Sendmail's configuration takes effect.
const remake = "; make sendmail.cf anew and restart Sendmail (contrib/sendmail)"

// filter is one milter in sendmail.cf: "Xname, S=…, F=…, T=…".
type filter struct {
	name, socket, failure string
	times                 map[byte]time.Duration // by the letter before the colon
}

// sendmail compares Sendmail's settings with ours.
func (p *Installation) sendmail(ctx context.Context) []Finding {
	if p.Sendmail == "" {
		return nil
	}
	filters, options, err := readSendmail(p.Sendmail)
	if err != nil {
		return []Finding{fault("see whether it is there and may be read", "its settings cannot be read: %v", err)}
	}
	return append(p.asksBy(filters, options), p.heldBySendmail(ctx, cmp.Or(options["QueueDirectory"], sendmailQueue)))
}

// asksBy looks for the filter that is milterscan among those of Sendmail, and at how
// Sendmail asks it.
func (p *Installation) asksBy(filters []filter, options map[string]string) []Finding {
	for _, f := range filters {
		for _, a := range p.Config.Milter.Listen {
			if sameAddress(f.socket, string(a)) {
				return append([]Finding{ok("Sendmail asks milterscan (%s) at %s", f.name, f.socket)}, p.filterFaults(f, options)...)
			}
		}
	}
	return []Finding{fault("include contrib/sendmail/milterscan.m4 in sendmail.mc"+remake,
		"Sendmail does not ask milterscan: no filter in %s has its socket (%v)", p.Sendmail, p.Config.Milter.Listen)}
}

func (p *Installation) filterFaults(f filter, options map[string]string) (found []Finding) {
	if in := options["InputMailFilters"]; !strings.Contains(","+strings.ReplaceAll(in, " ", "")+",", ","+f.name+",") {
		found = append(found, fault("use INPUT_MAIL_FILTER, which adds it"+remake,
			"the filter is defined, and InputMailFilters (%q) does not name it: it is never asked", in))
	}
	switch f.failure {
	case "T", "4":
	case "":
		found = append(found, fault("write F=T"+remake, "the filter has no F=: mail goes through unexamined while milterscan is away"))
	default:
		found = append(found, fault("write F=T"+remake, "the filter has F=%s: mail is lost to its senders while milterscan is away", f.failure))
	}
	if t := f.times['E']; t <= p.Config.Limits.Time.Go() {
		found = append(found, fault("write E:5m into T=, or set limits.time to less"+remake,
			"Sendmail waits %v for the end of a message, and milterscan may take %v (limits.time)", t, p.Config.Limits.Time))
	}
	if t := f.times['R']; t <= p.Config.Milter.Progress.Go() {
		found = append(found, fault("write R:30s into T="+remake,
			"Sendmail waits %v for an answer, and milterscan reports progress every %v (milter.progress)", t, p.Config.Milter.Progress))
	}
	if size := p.sizes("MaxMessageSize", cmp.Or(options["MaxMessageSize"], "0"), "define confMAX_MESSAGE_SIZE as "); size.Level != OK {
		found = append(found, size)
	}
	return found
}

// sameAddress compares a milter as Sendmail names it with an address of ours. That
// of a TCP socket counts as the same where the port is.
func sameAddress(theirs, ours string) bool {
	network, where, _ := strings.Cut(theirs, ":")
	mine, place := units.SplitAddress(ours)
	switch network {
	case "unix", "local":
		return mine == "unix" && filepath.Clean(where) == filepath.Clean(place)
	case "inet", "inet6":
		port, _, _ := strings.Cut(where, "@")
		return mine == "tcp" && place[strings.LastIndexByte(place, ':')+1:] == port
	}
	return false
}

// option is "O Name=value".
var option = regexp.MustCompile(`^O\s*(\w+)\s*=\s*(.*)$`)

// readSendmail reads the filters and options of a sendmail.cf.
func readSendmail(path string) (filters []filter, options map[string]string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	options = map[string]string{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := lines.Text()
		if m := option.FindStringSubmatch(line); m != nil {
			options[m[1]] = strings.TrimSpace(m[2])
		} else if text, ok := strings.CutPrefix(line, "X"); ok {
			filters = append(filters, parseFilter(text))
		}
	}
	if err := lines.Err(); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return filters, options, nil
}

// parseFilter reads a line after its X. Times that are not given are
// Sendmail's own.
func parseFilter(text string) filter {
	words := strings.Split(text, ",")
	f := filter{name: strings.TrimSpace(words[0]), times: map[byte]time.Duration{'C': 5 * time.Minute, 'S': 10 * time.Second,
		'R': 10 * time.Second, 'E': 5 * time.Minute}}
	for _, w := range words[1:] {
		key, value, _ := strings.Cut(strings.TrimSpace(w), "=")
		switch key {
		case "S":
			f.socket = value
		case "F":
			f.failure = value
		case "T":
			for t := range strings.SplitSeq(value, ";") {
				letter, length, _ := strings.Cut(strings.TrimSpace(t), ":")
				if d, ok := sendmailTime(length); ok && len(letter) == 1 {
					f.times[letter[0]] = d
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
