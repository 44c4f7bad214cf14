package digest

import (
	"fmt"
	"time"
)

// Interval is how often a person gets digests.
type Interval string

// The intervals.
const (
	Off    Interval = "off"
	Daily  Interval = "daily"
	Hourly Interval = "hourly"
)

// UnmarshalText reads an interval.
func (i *Interval) UnmarshalText(text []byte) error {
	switch w := Interval(text); w {
	case Off, Daily, Hourly:
		*i = w
		return nil
	}
	return fmt.Errorf("%q is no interval of digests; write \"off\", \"daily\" or \"hourly\"", text)
}

// Clock is a time of day, in minutes after midnight.
type Clock int

// UnmarshalText reads a time such as "07:00".
func (c *Clock) UnmarshalText(text []byte) error {
	t, err := time.Parse("15:04", string(text))
	if err != nil {
		return fmt.Errorf("%q is no time of day; write one such as \"07:00\"", text)
	}
	*c = Clock(t.Hour()*60 + t.Minute())
	return nil
}

// MarshalText writes the time.
func (c Clock) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// String returns the time as it is written.
func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", int(c)/60, int(c)%60) }

// Plan is when a person gets digests.
type Plan struct {
	Every Interval
	At    Clock          // of daily ones
	Zone  *time.Location // of At; nil for that of the host
}

// Last returns when the last digest before now was due, or now; the zero time if there are none. Daily
// ones are due once on every day, also on those that have 23 or 25 hours: at an hour
// that the clock leaves out, an hour later.
func (p Plan) Last(now time.Time) time.Time {
	switch p.Every {
	case Hourly:
		return now.Truncate(time.Hour)
	case Daily:
		day := now.In(p.zone())
		for back := range 3 {
			if at := p.on(day.Year(), day.Month(), day.Day()-back+1); !at.After(now) {
				return at
			}
		}
	}
	return time.Time{}
}

// on returns when the digest of a day is due.
func (p Plan) on(year int, month time.Month, day int) time.Time {
	at := time.Date(year, month, day, int(p.At)/60, int(p.At)%60, 0, 0, p.zone())
	if at.Hour() == int(p.At)/60 && at.Minute() == int(p.At)%60 {
		return at
	}
	_, before := at.Add(-12 * time.Hour).Zone() // the clock leaves this time out
	return time.Date(year, month, day, int(p.At)/60, int(p.At)%60, 0, 0, time.FixedZone("", before))
}

func (p Plan) zone() *time.Location {
	if p.Zone == nil {
		return time.Local
	}
	return p.Zone
}
