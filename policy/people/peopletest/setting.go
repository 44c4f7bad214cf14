package peopletest

import (
	"fmt"
	"testing"

	"github.com/milterscan/milterscan/policy/people"
)

func settings(t *testing.T, p pair) {
	s := p.here
	if got, err := s.Settings(t.Context(), "ann@example.com"); err != nil || got != (people.Settings{}) {
		t.Fatal(got, err)
	}
	set := func(address string, to people.Settings) error {
		return s.SetSettings(t.Context(), address, func(now *people.Settings) { *now = to })
	}
	for _, bad := range []people.Settings{{Digest: "weekly"}, {Digest: "daily", At: 1440}, {Digest: "daily", At: -1},
		{Digest: "hourly", At: 60}, {At: 60}} {
		if err := set("ann@example.com", bad); err == nil {
			t.Errorf("%+v is kept", bad)
		}
	}
	for address, one := range map[string]people.Settings{"ann@example.com": {Digest: "daily", At: 420},
		"ben@example.com":  {Language: "de", Digest: "daily", At: 420},
		"cleo@example.com": {Digest: "hourly"}, "dan@example.com": {Language: "fr"}} {
		if err := set(address, one); err != nil {
			t.Fatal(err)
		}
	}
	err := s.SetSettings(t.Context(), "ann@example.com", func(now *people.Settings) { now.Language = "es" })
	if got, failed := s.Settings(t.Context(), "ann@example.com"); err != nil || failed != nil ||
		got != (people.Settings{Language: "es", Digest: "daily", At: 420}) {
		t.Error(got, err, failed)
	}
	if got, err := s.Schedules(t.Context()); err != nil || fmt.Sprint(got) != "[{ daily 420} { hourly 0}]" {
		t.Error(got, err)
	}
}
