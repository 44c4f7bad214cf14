package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What check warns of, doctor shows, and it is no fault by itself.
func TestDoctorShowsWarnings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "m.toml")
	text := "[milter]\nlisten = [\"tcp:0.0.0.0:7357\"]\n[[rule]]\nname = \"never\"\nwhen = [\"attachment/no-such-finding\"]\naction = \"reject\"\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, out, _ := call(t, "doctor", "-c", file, "--sendmail", os.DevNull)
	for _, want := range []string{"advice  configuration  " + file + ":2: milter.listen", "every address of this host", "advice  configuration  " + file + ":3: rule: \"never\" can never match"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "FAULT   configuration") {
		t.Errorf("a warning is a fault in\n%s", out)
	}
}
