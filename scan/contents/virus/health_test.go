package virus

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestClamdSignatures reads the date that clamd writes after its version.
func TestClamdSignatures(t *testing.T) {
	for version, want := range map[string]string{
		"ClamAV 1.4.6/27500/Sun Nov 22 08:24:13 2026":       "2026-11-22 08:24:13",
		"ClamAV 1.0.3/27100/Sun Nov  2 08:24:13 2026\n":     "2026-11-02 08:24:13",
		"ClamAV 1.0.3/27100/Sun Nov  2 08:24:13 2026\n\x00": "2026-11-02 08:24:13",
		"ClamAV 1.4.6":        "",
		"":                    "",
		"ClamAV 1.4.6/27500/": "",
		"ClamAV 1.4.6/27500/Sonntag, 22. November 2026": "",
	} {
		got := clamdSignatures(version)
		if text := got.Format(time.DateTime); want == "" && !got.IsZero() || want != "" && text != want {
			t.Errorf("%q: %v", version, got)
		}
	}
}

// TestListsTime takes the newest of lists, and none that is not there.
func TestListsTime(t *testing.T) {
	dir := t.TempDir()
	day := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	var c Config
	if !c.ListsTime().IsZero() {
		t.Error("no lists have a time")
	}
	for i, name := range []string{"a.hdb", "b.hsb", "missing.hdb"} {
		c.Lists = append(c.Lists, filepath.Join(dir, name))
		if i == 2 {
			break
		}
		at := day.Add(time.Duration(1-i) * 24 * time.Hour)
		if err := os.WriteFile(c.Lists[i], nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(c.Lists[i], at, at); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.ListsTime(); !got.Equal(day.Add(24 * time.Hour)) {
		t.Errorf("%v", got)
	}
}
