package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/tests/sample"
)

// remembering judges three mails by a configuration that keeps them, and returns the
// configuration file.
func remembering(t *testing.T) string {
	t.Helper()
	file := writeConfig(t, t.TempDir())
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, "\n[[rule]]\nname = \"programs\"\nwhen = [\"forbidden\"]\naction = \"quarantine\"\n"...)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{"alice@partner.example", "bob@mail.partner.example", ""} {
		mail := bytes.NewReader(sample.Attached("Invoice for "+from, sample.Program("setup.exe")))
		var out, errs bytes.Buffer
		args := []string{"filter", "-c", file, "--from", from, "--to", "carol@example.com", "--client", "192.0.2.1", "--auth", "joe"}
		if status := run(t.Context(), args, mail, &out, &errs); status != cli.ExitNothingLeft {
			t.Fatalf("filter: status %d, %s", status, &errs)
		}
	}
	return file
}

// TestFilters counts the lines of lists by their filters: the same in both.
func TestFilters(t *testing.T) {
	file := remembering(t)
	for _, test := range []struct {
		filter string
		lines  int
		only   string // the command that knows it; both if it is ""
	}{
		{"", 3, ""}, {"--from @partner.example", 1, ""}, {"--from *@partner.example", 1, ""}, {"--from .partner.example", 1, ""}, {"--from partner", 2, ""},
		{"--from ALICE", 1, ""}, {"--from alice@partner.example", 1, ""}, {"--from @partner.exampl", 0, ""}, {"--from <>", 1, ""}, {"--to carol", 3, ""}, {"--to @example.com", 3, ""},
		{"--to @example.org", 0, ""}, {"--subject invoice", 3, ""}, {"--subject *bob*", 1, ""}, {"--subject bob*", 0, ""}, {"--reason attachment/*", 3, ""},
		{"--reason virus", 0, ""}, {"--client 192.0.2.0/24", 3, ""}, {"--client 192.0.2.2", 0, ""}, {"--queue-id 4F2A", 0, ""},
		{"--since 1w", 3, ""}, {"--since yesterday", 3, ""}, {"--before yesterday", 0, ""}, {"--limit 2", 2, ""}, {"--limit 3", 3, ""}, {"--limit 0", 3, ""},
		{"--from @partner.example --to bob", 0, ""},
		{"--action quarantine", 3, "history"}, {"--action deliver", 0, "history"}, {"--user joe", 3, "history"}, {"--user jo*", 3, "history"}, {"--user bob", 0, "history"}, {"--reason programs", 3, "history"},
		{"--class forbidden", 3, "quarantine list"}, {"--class infected", 0, "quarantine list"}, {"--state kept", 3, "quarantine list"}, {"--state released", 0, "quarantine list"},
	} {
		for _, command := range []string{"history", "quarantine list"} {
			if test.only != "" && test.only != command {
				continue
			}
			args := append(strings.Fields(command+" "+test.filter), "-c", file)
			status, out, errs := call(t, args...)
			if n := strings.Count(out, "\n"); status != cli.ExitOK || n != test.lines {
				t.Errorf("%q: status %d, %d lines, want %d\n%s%s", args, status, n, test.lines, out, errs)
			}
			if cut := strings.Contains(errs, "there are more"); cut != (test.filter == "--limit 2") {
				t.Errorf("%q: says that there are more: %v", args, cut)
			}
		}
	}
}

// TestFiltersAreChecked refuses values that could match nothing.
func TestFiltersAreChecked(t *testing.T) {
	file := remembering(t)
	for words, want := range map[string]string{
		"history --action refused":            "write one of deliver, tempfail, hold, discard, quarantine, reject",
		"history --since soon":                `"soon" is no time`,
		"history --limit -1":                  "--limit -1 is less than nothing",
		"history --since today --before 1w":   "is not before",
		"quarantine list --state foo":         "write one of kept, releasing, released",
		"quarantine list --class virus":       "write one of policy, note",
		"quarantine list --limit -1":          "--limit -1 is less than nothing",
		"quarantine list --before 2026-13-01": `"2026-13-01" is no time`,
		"report --since soon":                 `"soon" is no time`,
	} {
		status, out, errs := call(t, append(strings.Fields(words), "-c", file)...)
		if status != cli.ExitUsage || out != "" || !strings.Contains(errs, want) {
			t.Errorf("%s: status %d, %q, %q", words, status, out, errs)
		}
	}
}

// TestListsShowWhy looks for the reason, the rule and the zone on the one line of a mail.
func TestListsShowWhy(t *testing.T) {
	file := remembering(t)
	zone := time.Now().Format("-0700")
	for words, want := range map[string][]string{
		"history --limit 1 --from alice":         {`[attachment/name by "programs"]`, zone},
		"history --limit 1 --from alice --long":  {`[attachment/name by "programs"]`, "client=192.0.2.1", "user=joe"},
		"quarantine list --limit 1 --from alice": {"[attachment/name]", "Invoice for alice@partner.example", zone},
	} {
		_, out, _ := call(t, append(strings.Fields(words), "-c", file)...)
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("%s: %q lacks %q", words, out, w)
			}
		}
	}
}

// TestWithoutRights says who may do what is denied.
func TestWithoutRights(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	file := remembering(t)
	dir := filepath.Dir(file)
	back := asStranger(t, dir)
	defer back()
	for _, words := range []string{"history", "report", "quarantine list", "explain 06h08cfwgrgbyv96", "quarantine show 06h08cfwgrgbyv96", "quarantine expire"} {
		status, out, errs := call(t, append(strings.Fields(words), "-c", file)...)
		if status == cli.ExitOK || out != "" || !strings.Contains(errs, "permission denied: run as root or milterscan") {
			t.Errorf("%s: status %d, %q, %q", words, status, out, errs)
		}
	}
}
