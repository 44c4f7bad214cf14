package people

import (
	"fmt"
	"path/filepath"
	"testing"
)

func TestSettings(t *testing.T) {
	s := New(filepath.Join(t.TempDir(), "people.db"))
	defer s.Close()
	if got, err := s.Settings(t.Context(), "ann@example.com"); err != nil || got != (Settings{}) {
		t.Fatal(got, err)
	}
	set := func(address string, to Settings) error {
		return s.SetSettings(t.Context(), address, func(now *Settings) { *now = to })
	}
	for _, bad := range []Settings{{Digest: "weekly"}, {Digest: "daily", At: 1440}, {Digest: "daily", At: -1}, {Digest: "hourly", At: 60}, {At: 60}} {
		if err := set("ann@example.com", bad); err == nil {
			t.Errorf("%+v is kept", bad)
		}
	}
	for address, one := range map[string]Settings{"ann@example.com": {Digest: "daily", At: 420}, "ben@example.com": {Language: "de", Digest: "daily", At: 420},
		"cleo@example.com": {Digest: "hourly"}, "dan@example.com": {Language: "fr"}} {
		if err := set(address, one); err != nil {
			t.Fatal(err)
		}
	}
	err := s.SetSettings(t.Context(), "ann@example.com", func(now *Settings) { now.Language = "es" })
	if got, failed := s.Settings(t.Context(), "ann@example.com"); err != nil || failed != nil || got != (Settings{"es", "daily", 420}) {
		t.Error(got, err, failed)
	}
	if got, err := s.Schedules(t.Context()); err != nil || fmt.Sprint(got) != "[{ daily 420} { hourly 0}]" {
		t.Error(got, err)
	}
}
