package config

import (
	"strings"
	"testing"
	"time"
)

func TestDigest(t *testing.T) {
	for text, want := range map[string]string{
		"": "",
		"enabled = true\nat = \"6:30\"\nzone = \"Europe/Berlin\"\ndefault = \"hourly\"": "",
		"at = \"25:00\"":          "no time of day",
		"at = 7":                  "at",
		"zone = \"Berlin\"":       "no time zone",
		"default = \"weekly\"":    "no interval",
		"rows = 0":                "not between",
		"rows = 100000":           "not between",
		"links = \"1m\"":          "too short",
		"drop_after = 0":          "drop_after",
		"templates = \"/nope/x\"": "",
	} {
		_, err := Load(write(t, map[string]string{"milterscan.toml": "[local]\ndomains = [\"example.com\"]\n[people.digest]\n" + text}))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := Load(write(t, map[string]string{"milterscan.toml": "[people.digest]\nenabled = true\n"})); err == nil || !strings.Contains(err.Error(), "local.domains") {
		t.Errorf("digests to anybody: %v", err)
	}
	c := Default()
	c.People.Digest.Zone = "Europe/Berlin"
	if got := c.People.Digest.Plan().Last(time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)); got.UTC().Hour() != 5 {
		t.Errorf("due at %s", got)
	}
}
