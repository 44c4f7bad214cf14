package console

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// locale writes numbers and times as readers of a language do.
type locale struct {
	code           string
	thousands, dot string
	date, clock    string // layouts of package time
	percent        string // before the sign
	short          string // a day without its year
	fewestToGroup  int    // digits of the smallest number with separators
}

// locales are those of Languages.
var locales = map[string]locale{
	"en": {"en", ",", ".", "2 Jan 2006", "15:04:05", "", "2 Jan", 4},
	"de": {"de", ".", ",", "02.01.2006", "15:04:05", "\u00a0", "02.01.", 4},
	"fr": {"fr", "\u202f", ",", "02/01/2006", "15:04:05", "\u202f", "02/01", 4},
	"es": {"es", "\u202f", ",", "02/01/2006", "15:04:05", "\u00a0", "02/01", 5},
}

// number writes a whole number.
func (l locale) number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "\u2212", digits[1:]
	}
	if len(digits) < l.fewestToGroup {
		return sign + digits
	}
	var groups []string
	for ; len(digits) > 3; digits = digits[:len(digits)-3] {
		groups = append([]string{digits[len(digits)-3:]}, groups...)
	}
	return sign + strings.Join(append([]string{digits}, groups...), l.thousands)
}

// plain writes a whole number for an address.
func (l locale) plain(n int) string { return strconv.Itoa(n) }

// decimal writes a number with at most so many places after the dot.
func (l locale) decimal(f float64, places int) string {
	s := strconv.FormatFloat(f, 'f', places, 64)
	whole, rest, has := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return s
	}
	w := l.number(n)
	if f < 0 && n == 0 {
		w = "\u2212" + w
	}
	if rest = strings.TrimRight(rest, "0"); !has || rest == "" {
		return w
	}
	return w + l.dot + rest
}

// share writes a part of a whole in percent.
func (l locale) share(n, of int64) string {
	if of == 0 {
		return "–"
	}
	percent, places := 100*float64(n)/float64(of), 0
	switch {
	case n > 0 && percent < .05: // which is not nothing
		return "< " + l.decimal(.1, 1) + l.percent + "%"
	case n > 0 && percent < 10:
		places = 1
	}
	return l.decimal(percent, places) + l.percent + "%"
}

// size writes a number of bytes.
func (l locale) size(n int64) string {
	f, unit := float64(n), 0
	units := [...]string{"B", "kB", "MB", "GB", "TB"}
	if l.code == "fr" {
		units = [...]string{"o", "ko", "Mo", "Go", "To"}
	}
	for ; f >= 1000 && unit < len(units)-1; unit++ {
		f /= 1000
	}
	places := 0
	if unit > 0 && f < 100 {
		places = 1
	}
	return l.decimal(f, places) + "\u00a0" + units[unit]
}

// took writes a duration as people read it: three digits, and the unit.
func (l locale) took(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case d >= 10*time.Minute:
		return l.decimal(d.Minutes(), 0) + "\u00a0min"
	case ms >= 1000:
		return l.decimal(ms/1000, 2) + "\u00a0s"
	case ms >= 100:
		return l.decimal(math.Round(ms), 0) + "\u00a0ms"
	}
	return l.decimal(ms, 2) + "\u00a0ms"
}

// day and moment write a time of this host's zone.
func (l locale) day(t time.Time) string { return t.Local().Format(l.date) }

func (l locale) moment(t time.Time) string {
	return l.day(t) + " " + t.Local().Format(l.clock)
}
