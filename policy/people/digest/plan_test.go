package digest

import (
	"testing"
	"time"
)

func berlin(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestLast(t *testing.T) {
	zone := berlin(t)
	lordHowe, err := time.LoadLocation("Australia/Lord_Howe") // whose clock is put by half an hour
	if err != nil {
		t.Fatal(err)
	}
	daily := func(at Clock) Plan { return Plan{Daily, at, zone} }
	for _, c := range []struct {
		plan      Plan
		now, want string // in UTC
	}{
		{Plan{Every: Off}, "2026-03-04T12:00:00Z", "0001-01-01T00:00:00Z"},
		{Plan{}, "2026-03-04T12:00:00Z", "0001-01-01T00:00:00Z"},
		{Plan{Every: Hourly}, "2026-03-04T12:34:56Z", "2026-03-04T12:00:00Z"},
		{Plan{Every: Hourly}, "2026-03-04T12:00:00Z", "2026-03-04T12:00:00Z"},
		{daily(7 * 60), "2026-03-04T05:59:59Z", "2026-03-03T06:00:00Z"},
		{daily(7 * 60), "2026-03-04T06:00:00Z", "2026-03-04T06:00:00Z"},
		{daily(7 * 60), "2026-03-04T22:59:59Z", "2026-03-04T06:00:00Z"},
		{daily(7 * 60), "2026-03-04T23:30:00Z", "2026-03-04T06:00:00Z"}, // the next day there
		{daily(0), "2026-03-04T22:59:59Z", "2026-03-03T23:00:00Z"},
		{daily(0), "2026-03-04T23:00:00Z", "2026-03-04T23:00:00Z"},
		// 2026-03-29 has 23 hours, from 02:00 it is 03:00.
		{daily(7 * 60), "2026-03-29T05:00:00Z", "2026-03-29T05:00:00Z"},
		{daily(7 * 60), "2026-03-29T04:59:00Z", "2026-03-28T06:00:00Z"},
		{daily(2*60 + 30), "2026-03-29T01:29:59Z", "2026-03-28T01:30:00Z"},
		{daily(2*60 + 30), "2026-03-29T01:30:00Z", "2026-03-29T01:30:00Z"},
		{daily(2*60 + 30), "2026-03-30T00:29:59Z", "2026-03-29T01:30:00Z"},
		{daily(2*60 + 30), "2026-03-30T00:30:00Z", "2026-03-30T00:30:00Z"},
		// 2026-10-25 has 25 hours, 02:30 comes twice.
		{daily(7 * 60), "2026-10-25T06:00:00Z", "2026-10-25T06:00:00Z"},
		{daily(7 * 60), "2026-10-25T05:59:00Z", "2026-10-24T05:00:00Z"},
		{Plan{Daily, 2*60 + 15, lordHowe}, "2026-10-03T15:45:00Z", "2026-10-03T15:45:00Z"},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.plan.Last(now).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("%s at %s, %s: %s, want %s", c.plan.Every, c.plan.At, c.now, got, c.want)
		}
	}
}

// On each day of a year there is one daily digest, at whatever minute somebody looks.
func TestOneEachDay(t *testing.T) {
	for _, at := range []Clock{0, 1*60 + 59, 2 * 60, 2*60 + 30, 3 * 60, 23*60 + 59} {
		p := Plan{Daily, at, berlin(t)}
		days := map[string]int{}
		var last time.Time
		for now := time.Date(2026, 1, 2, 0, 0, 0, 0, p.Zone); now.Year() == 2026; now = now.Add(7 * time.Minute) {
			due := p.Last(now)
			if due.Before(last) || due.After(now) {
				t.Fatalf("%s: at %s it was %s after %s", at, now, due, last)
			}
			if !due.Equal(last) {
				days[due.In(p.Zone).Format(time.DateOnly)]++
				last = due
			}
		}
		for day, n := range days {
			if n != 1 {
				t.Errorf("%s: %d on %s", at, n, day)
			}
		}
		if len(days) < 364 {
			t.Errorf("%s: on %d days", at, len(days))
		}
	}
}

func TestClock(t *testing.T) {
	for s, want := range map[string]Clock{"07:00": 420, "00:00": 0, "23:59": 1439, "7:00": 420, "24:00": -1, "07:60": -1, "7": -1, "": -1, "07:00:00": -1, "-1:00": -1} {
		c := Clock(-1)
		if err := c.UnmarshalText([]byte(s)); c != want || (err == nil) != (want >= 0) {
			t.Errorf("%q: %d, %v", s, c, err)
		}
	}
	if Clock(425).String() != "07:05" {
		t.Error(Clock(425))
	}
	var i Interval
	if i.UnmarshalText([]byte("weekly")) == nil || i.UnmarshalText([]byte("hourly")) != nil || i != Hourly {
		t.Error(i)
	}
}
