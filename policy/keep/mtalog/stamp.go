package mtalog

import (
	"strings"
	"time"
)

// clock gives the times of a log a year and a zone where the log has none.
type clock struct {
	zone *time.Location
	near time.Time // about when the lines were written: now, or when a rotated file was last changed
	last time.Time // of the line before
}

// ahead is how far the clock of the log may be before ours until its lines count as
// last year's.
const ahead = 36 * time.Hour

// stamp reads the time at the beginning of a line. coarse says that it has whole seconds.
func (c *clock) stamp(text string) (when time.Time, coarse bool, rest string, ok bool) {
	if len(text) < len("2006-01-02 15:04:05 ") && len(text) < len("Jan  2 15:04:05 ") {
		return when, false, "", false
	}
	if text[0] >= '0' && text[0] <= '9' {
		when, coarse, rest, ok = c.iso(text)
	} else {
		when, coarse, rest, ok = c.traditional(text)
	}
	if ok {
		c.last = when
	}
	return when, coarse, rest, ok
}

// iso reads "2026-11-29T17:10:02.123456+01:00 " and Exim's "2026-11-29 17:10:02 ",
// "2026-11-29 17:10:02.123 +0100 ".
func (c *clock) iso(text string) (when time.Time, coarse bool, rest string, ok bool) {
	word, rest, ok := strings.Cut(text, " ")
	if !ok {
		return when, false, "", false
	}
	if strings.IndexByte(word, 'T') == 10 {
		when, err := time.Parse(time.RFC3339Nano, word)
		if err != nil { // some write the zone without a colon
			when, err = time.Parse("2006-01-02T15:04:05.999999999-0700", word)
		}
		return when, !strings.ContainsAny(word, ".,"), rest, err == nil
	}
	clockTime, rest, ok := strings.Cut(rest, " ")
	if !ok || len(word) != 10 {
		return when, false, "", false
	}
	coarse = !strings.Contains(clockTime, ".")
	if offset, after, found := strings.Cut(rest, " "); found && isOffset(offset) {
		when, err := time.Parse("2006-01-02 15:04:05.999999999 -0700", word+" "+clockTime+" "+offset)
		return when, coarse, after, err == nil
	}
	when, err := time.Parse("2006-01-02 15:04:05.999999999", word+" "+clockTime)
	return c.local(when), coarse, rest, err == nil
}

func isOffset(s string) bool { return len(s) == 5 && (s[0] == '+' || s[0] == '-') && digits(s[1:]) }

// traditional reads "Nov 29 17:10:02 ", of some programs "Nov 29 17:10:02.123 " and
// "Nov 29 2026 17:10:02 ".
func (c *clock) traditional(text string) (when time.Time, coarse bool, rest string, ok bool) {
	name, rest, _ := strings.Cut(text, " ")
	month, ok := months[strings.ToLower(strings.TrimSuffix(name, "."))]
	if !ok {
		return when, false, "", false
	}
	day, rest, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
	clockTime, rest, ok := strings.Cut(rest, " ")
	year := ""
	if len(clockTime) == 4 && digits(clockTime) {
		year = clockTime
		clockTime, rest, ok = strings.Cut(rest, " ")
	}
	if !ok || len(day) > 3 || !digits(strings.TrimSuffix(day, ".")) {
		return when, false, "", false
	}
	at, err := time.Parse("2.15:04:05.999999999", strings.TrimSuffix(day, ".")+"."+strings.TrimSuffix(clockTime, ":"))
	if err != nil {
		return when, false, "", false
	}
	return c.dated(year, month, at), !strings.Contains(clockTime, "."), rest, true
}

// dated returns a day and time of a month, in the given year or the latest in which it
// is not in the future.
func (c *clock) dated(year string, month time.Month, at time.Time) time.Time {
	in := func(y int) time.Time {
		return c.local(time.Date(y, month, at.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), time.UTC))
	}
	if year != "" {
		y, _ := time.Parse("2006", year)
		return in(y.Year())
	}
	for y := c.near.In(c.zone).Year() + 1; ; y-- {
		when := in(y)
		if when.Day() == at.Day() && !when.After(c.near.Add(ahead)) || y < c.near.Year()-5 { // 29 February
			return when
		}
	}
}

// local returns the moment at which clocks of the zone show a time. In the hour that
// they show twice it is the one that does not lie before the last line.
func (c *clock) local(shown time.Time) time.Time {
	when := time.Date(shown.Year(), shown.Month(), shown.Day(), shown.Hour(), shown.Minute(), shown.Second(), shown.Nanosecond(), c.zone)
	const tie = time.Minute // lines of several processes are not quite in order
	for _, shift := range []time.Duration{-time.Hour, time.Hour} {
		other := when.Add(shift)
		if other.Hour() != when.Hour() || other.Day() != when.Day() {
			continue
		}
		first, second := when, other
		if shift < 0 {
			first, second = other, when
		}
		if !c.last.IsZero() && first.Before(c.last.Add(-tie)) {
			return second
		}
		return first
	}
	return when
}

// months are the names of months: syslog's, and those of systems that write them in
// German, French, Spanish, Italian, Dutch or Portuguese.
var months = map[string]time.Month{
	"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
	"mär": 3, "mrz": 3, "mai": 5, "okt": 10, "dez": 12,
	"janv": 1, "févr": 2, "mars": 3, "avril": 4, "avr": 4, "juin": 6, "juil": 7, "août": 8, "sept": 9, "déc": 12,
	"ene": 1, "abr": 4, "ago": 8, "dic": 12,
	"gen": 1, "mag": 5, "giu": 6, "lug": 7, "set": 9, "ott": 10,
	"mrt": 3, "mei": 5, "fev": 2, "out": 10,
}
