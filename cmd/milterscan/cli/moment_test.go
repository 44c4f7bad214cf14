package cli

import (
	"testing"
	"time"
)

func TestMoments(t *testing.T) {
	zone := time.FixedZone("CET", 3600)
	now := time.Date(2026, 11, 29, 17, 10, 30, 0, zone)
	for text, want := range map[string]time.Time{
		"12h":                       now.Add(-12 * time.Hour),
		"7d":                        now.Add(-7 * 24 * time.Hour),
		"90s":                       now.Add(-90 * time.Second),
		"1w":                        now.AddDate(0, 0, -7),
		"2w":                        now.AddDate(0, 0, -14),
		"now":                       now,
		"today":                     time.Date(2026, 11, 29, 0, 0, 0, 0, zone),
		"Yesterday":                 time.Date(2026, 11, 28, 0, 0, 0, 0, zone),
		"2026-11-29":                time.Date(2026, 11, 29, 0, 0, 0, 0, zone),
		"2026-11-29 17:10":          time.Date(2026, 11, 29, 17, 10, 0, 0, zone),
		"2026-11-29 17:10:05":       time.Date(2026, 11, 29, 17, 10, 5, 0, zone),
		"2026-11-29 17:10:05.250":   time.Date(2026, 11, 29, 17, 10, 5, 250e6, zone),
		"2026-11-29T12:21:00":       time.Date(2026, 11, 29, 12, 21, 0, 0, zone),
		"2026-11-29T12:21":          time.Date(2026, 11, 29, 12, 21, 0, 0, zone),
		"2026-11-29T12:21:00Z":      time.Date(2026, 11, 29, 12, 21, 0, 0, time.UTC),
		"2026-11-29T12:21:00+02:00": time.Date(2026, 11, 29, 10, 21, 0, 0, time.UTC),
		"2026-11-29T12:21:00.5Z":    time.Date(2026, 11, 29, 12, 21, 0, 5e8, time.UTC),
		"2026-11-29 12:21:00 +0200": time.Date(2026, 11, 29, 10, 21, 0, 0, time.UTC),
		"2026-11-29 12:21 -0500":    time.Date(2026, 11, 29, 17, 21, 0, 0, time.UTC),
	} {
		if got, err := parseMoment(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%s: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, bad := range []string{"", "soon", "7", "-7d", "w", "1.5w", "2026-13-01", "29.11.2026", "2026-11-29 25:00", "tomorrow or so"} {
		if got, err := parseMoment(bad, now); err == nil {
			t.Errorf("%q: %v", bad, got)
		}
	}
	var m Moment
	if err := m.Set(" 7d "); err != nil || m.IsZero() {
		t.Errorf("%v, %v", m, err)
	}
}

func TestChoice(t *testing.T) {
	var s string
	c := Choice(&s, "kept", "released")
	if err := c.Set("foo"); err == nil || err.Error() != "there is no such value; write one of kept, released" || s != "" {
		t.Errorf("%q, %v", s, err)
	}
	if err := c.Set("released"); err != nil || s != "released" || c.String() != "released" {
		t.Errorf("%q, %v", s, err)
	}
}
