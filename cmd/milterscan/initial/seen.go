package initial

import (
	"fmt"
	"strings"

	"github.com/milterscan/milterscan/cmd/milterscan/survey"
	"github.com/milterscan/milterscan/scan/units"
)

// Line is one fact about the host.
type Line struct {
	About string `json:"about"`
	What  string `json:"what"`
}

// seen describes the host.
func seen(h *survey.Host, listed string) (lines []Line) {
	say := func(about, format string, args ...any) {
		lines = append(lines, Line{about, fmt.Sprintf(format, args...)})
	}
	for _, m := range h.MTAs {
		say("MTA", "%s %s in %s: mail for %s, from %s, %s", m.Name, m.Version, m.Dir,
			count(len(m.Domains), m.MoreDomains, "domain"),
			count(len(m.Networks), m.MoreClients, "network"), upTo(m.Size))
		if len(m.Asks) > 0 {
			say("milters", "%s asks %s", m.Name, strings.Join(m.Asks, ", "))
		}
	}
	if len(h.MTAs) == 0 {
		say("MTA", "none")
	}
	say("clamd", "%s", clamdLine(h.Clamd))
	for _, r := range h.Resolvers {
		say("resolver", "%s %s", r.Server, hearingLine(r.Hears, listed))
	}
	if len(h.Resolvers) == 0 {
		say("resolver", "none in resolv.conf")
	}
	for _, s := range h.Scorers {
		say("scorer", "%s at %s", s.Name, s.Address)
	}
	if len(h.Scorers) == 0 {
		say("scorer", "neither SpamAssassin nor rspamd answers here")
	}
	say("room", "%s of memory, %s for kept mail, %s for mail in flight",
		size(h.Room.Memory), size(h.Room.State), size(h.Room.Spool))
	return lines
}

// count says how many there are, and whether there may be more.
func count(n int, more []string, what string) string {
	text := fmt.Sprintf("%d %s", n, what)
	if n != 1 {
		text += "s"
	}
	if len(more) > 0 {
		text += " and some that cannot be listed"
	}
	return text
}

func upTo(n int64) string {
	switch {
	case n == 0:
		return "of any size"
	case n < 0:
		return "of an unknown size"
	}
	return fmt.Sprintf("up to %d bytes", n)
}

func clamdLine(c *survey.Clamd) string {
	switch {
	case c == nil:
		return "none"
	case c.Err != nil && c.File != "":
		return fmt.Sprintf("does not answer (%s): %v", c.File, c.Err)
	case c.Err != nil:
		return fmt.Sprintf("does not answer: %v", c.Err)
	}
	return fmt.Sprintf("%s at %s, up to %v", c.Version, c.Address, c.Least)
}

func hearingLine(h survey.Hearing, zone string) string {
	switch h {
	case survey.Heard:
		return "has answers from the DNS list " + zone
	case survey.Refused:
		return "is refused by the DNS list " + zone
	case survey.Lost:
		return "answers, but does not know the names of the Internet"
	case survey.Deaf:
		return "answers, but has nothing from the DNS list " + zone
	}
	return "does not answer"
}

// size returns a size in whole megabytes.
func size(s units.Size) string {
	if s == 0 {
		return "an unknown amount"
	}
	const whole = 10
	if s > whole*units.GB {
		return (s / units.GB * units.GB).String()
	}
	return (s / units.MB * units.MB).String()
}
