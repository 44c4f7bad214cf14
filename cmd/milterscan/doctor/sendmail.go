package doctor

import (
	"cmp"
	"context"
	"path/filepath"
	"strings"

	"github.com/milterscan/milterscan/cmd/milterscan/sendmail"
	"github.com/milterscan/milterscan/scan/units"
)

// remake is the advice by which a change of Sendmail's configuration takes effect.
const remake = "; make sendmail.cf anew and restart Sendmail (contrib/sendmail)"

// sendmail compares Sendmail's settings with ours.
func (p *Installation) sendmail(ctx context.Context) []Finding {
	if p.Sendmail == "" {
		return nil
	}
	c, err := sendmail.Read(p.Sendmail)
	if err != nil {
		return []Finding{fault("see whether it is there and may be read", "its settings cannot be read: %v", err)}
	}
	return append(p.asksBy(c.Filters, c.Options),
		p.heldBySendmail(ctx, cmp.Or(c.Options["QueueDirectory"], sendmailQueue)))
}

// asksBy looks for the filter that is milterscan among those of Sendmail, and at how
// Sendmail asks it.
func (p *Installation) asksBy(filters []sendmail.Filter, options map[string]string) []Finding {
	for _, f := range filters {
		for _, a := range p.Config.Milter.Listen {
			if sameAddress(f.Socket, string(a)) {
				return append([]Finding{ok("Sendmail asks milterscan (%s) at %s", f.Name, f.Socket)},
					p.filterFaults(f, options)...)
			}
		}
	}
	return []Finding{fault("milterscan setup sendmail",
		"Sendmail does not ask milterscan: no filter in %s has its socket (%v)", p.Sendmail, p.Config.Milter.Listen)}
}

func (p *Installation) filterFaults(f sendmail.Filter, options map[string]string) (found []Finding) {
	if in := options["InputMailFilters"]; !strings.Contains(","+strings.ReplaceAll(in, " ", "")+",", ","+f.Name+",") {
		found = append(found, fault("use INPUT_MAIL_FILTER, which adds it"+remake,
			"the filter is defined, and InputMailFilters (%q) does not name it: it is never asked", in))
	}
	switch f.Failure {
	case "T", "4":
	case "":
		found = append(found, fault("write F=T"+remake,
			"the filter has no F=: mail goes through unexamined while milterscan is away"))
	default:
		found = append(found, fault("write F=T"+remake,
			"the filter has F=%s: mail is lost to its senders while milterscan is away", f.Failure))
	}
	if t := f.Times['E']; t <= p.Config.Limits.Time.Go() {
		found = append(found, fault("write E:5m into T=, or set limits.time to less"+remake,
			"Sendmail waits %v for the end of a message, and milterscan may take %v (limits.time)",
			t, p.Config.Limits.Time))
	}
	if t := f.Times['R']; t <= p.Config.Milter.Progress.Go() {
		found = append(found, fault("write R:30s into T="+remake,
			"Sendmail waits %v for an answer, and milterscan reports progress every %v (milter.progress)",
			t, p.Config.Milter.Progress))
	}
	if size := p.sizes("MaxMessageSize", cmp.Or(options["MaxMessageSize"], "0"),
		"define confMAX_MESSAGE_SIZE as "); size.Level != OK {
		found = append(found, size)
	}
	return found
}

// sameAddress reports whether a milter, as Sendmail names it, is at an address of ours. TCP
// addresses are the same if their ports are.
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
