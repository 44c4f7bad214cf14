package policy

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Hours are hours of some days of the week: "mon-fri 08:00-18:00", "sat,sun",
// "22:00-06:00 Europe/Berlin". Those that end before they begin go on into the next day.
type Hours struct {
	text     string
	days     uint8 // a bit for each, Sunday the lowest
	from, to int16 // minutes of the day
	zone     *time.Location
}

// String returns the hours as they are written.
func (h Hours) String() string { return h.text }

// MarshalText returns the hours as they are written.
func (h Hours) MarshalText() ([]byte, error) { return []byte(h.text), nil }

const (
	everyDay = 1<<7 - 1
	dayLong  = 24 * 60
)

var weekdays = [...]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// UnmarshalText reads hours. Without a time of day they are whole days, without days they
// are of every day, and without a zone of the one that this host is in.
func (h *Hours) UnmarshalText(text []byte) error {
	*h = Hours{text: string(text), days: everyDay, to: dayLong, zone: time.Local}
	words := strings.Fields(string(text))
	if len(words) == 0 {
		return fmt.Errorf("%q are no hours; write such as \"mon-fri 08:00-18:00\"", text)
	}
	var err error
	if days, ok := daysOf(words[0]); ok {
		h.days, words = days, words[1:]
	}
	if len(words) > 0 && words[0][0] >= '0' && words[0][0] <= '9' {
		if h.from, h.to, err = timesOf(words[0]); err != nil {
			return err
		}
		words = words[1:]
	}
	if len(words) == 1 {
		h.zone, err = time.LoadLocation(words[0])
		words = nil
	}
	if err != nil || len(words) > 0 || strings.TrimSpace(h.text) == h.zone.String() {
		return fmt.Errorf("%q are no hours; write such as \"mon-fri 08:00-18:00\" or \"sat,sun\", and a time zone after them, "+
			"such as Europe/Berlin, if they are of another than this host's", text)
	}
	return nil
}

// daysOf reads days: "mon", "sat,sun", "fri-mon".
func daysOf(word string) (days uint8, ok bool) {
	for piece := range strings.SplitSeq(strings.ToLower(word), ",") {
		first, last, several := strings.Cut(piece, "-")
		from, to := weekday(first), weekday(last)
		if !several {
			to = from
		}
		if from < 0 || to < 0 {
			return 0, false
		}
		for d := from; ; d = (d + 1) % 7 {
			days |= 1 << d
			if d == to {
				break
			}
		}
	}
	return days, true
}

// weekday returns the number of a day, -1 if it is none.
func weekday(name string) int {
	for i, d := range weekdays {
		if name == d {
			return i
		}
	}
	return -1
}

// timesOf reads two times of day.
func timesOf(word string) (from, to int16, err error) {
	first, last, _ := strings.Cut(word, "-")
	from, ok := minutes(first)
	to, also := minutes(last)
	if !ok || !also || from == to || from == dayLong {
		return 0, 0, fmt.Errorf("%q is no time from one hour to another; write such as 08:00-18:00", word)
	}
	return from, to, nil
}

// minutes reads a time of day, "24:00" for its end.
func minutes(clock string) (int16, bool) {
	hour, minute, ok := strings.Cut(clock, ":")
	h, err := strconv.ParseUint(hour, 10, 8)
	m, also := strconv.ParseUint(minute, 10, 8)
	n := 60*h + m
	return int16(n), ok && err == nil && also == nil && len(minute) == 2 && m < 60 && n <= dayLong
}

// hold reports whether a time is within the hours.
func (h Hours) hold(t time.Time) bool {
	t = t.In(h.zone)
	now, day := int16(60*t.Hour()+t.Minute()), int(t.Weekday())
	if h.from < h.to {
		return h.days>>day&1 != 0 && now >= h.from && now < h.to
	}
	return h.days>>day&1 != 0 && now >= h.from || h.days>>((day+6)%7)&1 != 0 && now < h.to
}

// inHours reports whether a time is within any of the hours.
func inHours(list []Hours, t time.Time) bool {
	for _, h := range list {
		if h.hold(t) {
			return true
		}
	}
	return false
}
