package cli

import (
	"fmt"
	"time"

	"github.com/milterscan/milterscan/scan/units"
)

// Moment is a flag for a time: how long ago, or a date.
type Moment struct{ time.Time }

// String and Set make Moment a flag.Value.
func (m *Moment) String() string { return "" }
func (m *Moment) Set(s string) (err error) {
	m.Time, err = parseMoment(s, time.Now())
	return err
}

// parseMoment reads "7d" as seven days before now, and a date as its beginning.
func parseMoment(s string, now time.Time) (time.Time, error) {
	var d units.Duration
	if d.UnmarshalText([]byte(s)) == nil {
		return now.Add(-d.Go()), nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, now.Location()); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, fmt.Errorf("%q is no time; write how long ago, such as 7d or 12h, or a date, such as 2006-01-02 or 2006-01-02T15:04:05Z", s)
	}
	return t, nil
}
