package units

import (
	"testing"
	"time"
)

func TestSize(t *testing.T) {
	for text, want := range map[string]Size{
		"0B": 0, "512B": 512, "64KB": 64 * KB, "25MB": 25 * MB, "2GB": 2 * GB, " 3 mb ": 3 * MB,
	} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%q = %d, %v; want %d", text, s, err, want)
		}
	}
	for _, text := range []string{"", "25", "MB", "-1MB", "1.5MB", "9999999999GB", "25 bytes"} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as %d", text, s)
		}
	}
}

func TestSizeRoundTrip(t *testing.T) {
	for _, s := range []Size{0, 1, 1023, KB, 1025, 25 * MB, 3 * GB} {
		var back Size
		if err := back.UnmarshalText([]byte(s.String())); err != nil || back != s {
			t.Errorf("%d is written %s and read back as %d, %v", s, s, back, err)
		}
	}
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]string{
		"5m": "5m", "90s": "1m30s", "1h": "1h", "2h10m": "2h10m", "250ms": "250ms", "0s": "0s", "30d": "30d", "24h": "1d", "36h": "36h",
	} {
		var d Duration
		if err := d.UnmarshalText([]byte(text)); err != nil || d.String() != want {
			t.Errorf("%q = %s, %v; want %s", text, d, err, want)
		}
	}
	for _, text := range []string{"", "30", "-1s", "5 minutes", "-1d", "1.5d", "d", "99999999999999999999d"} {
		var d Duration
		if err := d.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as %s", text, d)
		}
	}
	if Duration(time.Minute).Go() != time.Minute {
		t.Error("Go changes the duration")
	}
}
