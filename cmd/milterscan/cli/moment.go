package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan/units"
)

// Moment is a flag for a time: how long ago, or a date.
type Moment struct{ time.Time }

// String and Set make Moment a flag.Value.
func (m *Moment) String() string { return "" }
func (m *Moment) Set(s string) (err error) {
	m.Time, err = parseMoment(strings.TrimSpace(s), time.Now())
	return err
}

// MomentHelp says how a Moment is written.
const MomentHelp = "`7d`, 12h, 1w, today, yesterday, 2006-01-02, \"2006-01-02 15:04\", or as we print it; without a " +
	"zone in that of this host"

// layouts are the ways to write a date. Where there is no zone it is local.
var layouts = []string{
	time.RFC3339, "2006-01-02 15:04:05 -0700", "2006-01-02 15:04 -0700", "2006-01-02T15:04Z07:00", "2006-01-02 15:04:05Z07:00",
	"2006-01-02T15:04:05Z0700",
	"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly,
}

// parseMoment reads "7d" as seven days before now, and a date as its beginning.
func parseMoment(s string, now time.Time) (time.Time, error) {
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	switch strings.ToLower(s) {
	case "now":
		return now, nil
	case "today":
		return midnight, nil
	case "yesterday":
		return midnight.AddDate(0, 0, -1), nil
	}
	if weeks, ok := strings.CutSuffix(s, "w"); ok {
		if n, err := strconv.ParseUint(weeks, 10, 12); err == nil {
			return now.AddDate(0, 0, -7*int(n)), nil
		}
	}
	var d units.Duration
	if d.UnmarshalText([]byte(s)) == nil {
		return now.Add(-d.Go()), nil
	}
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time; write how long ago, such as 12h, 7d or 1w, \"today\" or \"yesterday\", "+
		"or a date, such as 2006-01-02, \"2006-01-02 15:04\" or 2006-01-02T15:04:05Z", s)
}

// Span registers --since and --before. The returned function checks that the one is
// before the other.
func Span(f *Options, since, before *Moment) (check func() error) {
	f.Var(since, "since", "only received since: "+MomentHelp)
	f.Var(before, "before", "only received before: likewise")
	return func() error {
		if !before.IsZero() && !since.Before(before.Time) {
			return fmt.Errorf("--since %s is not before --before %s", since.Format(time.RFC3339), before.Format(time.RFC3339))
		}
		return nil
	}
}
