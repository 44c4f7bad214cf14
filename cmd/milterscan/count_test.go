package main

import (
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
)

// TestCounts counts what the history has, by each field.
func TestCounts(t *testing.T) {
	file := remembering(t)
	for _, c := range []struct{ words, want, note string }{
		{"--count rule", "3 quarantine programs", ""}, {"--count finding", "3 quarantine attachment/name 3 quarantine attachment/program", ""}, {"--count action", "3 quarantine", ""},
		{"--count rule --to @example.com", "3 quarantine programs", ""}, {"--count rule --to @example.org", "", ""},
		{"--count sender --from @partner.example", "1 quarantine partner.example", ""}, {"--count sender --from <>", "1 quarantine <>", ""},
		{"--count rule --limit 2", "2 quarantine programs", "only the newest 2 are counted, there are more"},
		{"--count rule --json", `{"value":"programs","action":"quarantine","n":3}`, ""},
	} {
		status, out, errs := call(t, append(strings.Fields("history "+c.words), "-c", file)...)
		if got := strings.Join(strings.Fields(out), " "); status != cli.ExitOK || got != c.want || !strings.Contains(errs, c.note) || c.note == "" && errs != "" {
			t.Errorf("%s: status %d, %q, %q", c.words, status, got, errs)
		}
	}
	for words, want := range map[string]string{"--count size": "write one of rule, finding, action, sender", "--count rule --csv": "--count excludes",
		"--count rule --long": "--count excludes"} {
		if status, out, errs := call(t, append(strings.Fields("history "+words), "-c", file)...); status != cli.ExitUsage || out != "" || !strings.Contains(errs, want) {
			t.Errorf("%s: status %d, %q, %q", words, status, out, errs)
		}
	}
}
