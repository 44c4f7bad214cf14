package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/tests/sample"
)

// TestAllow puts the rule that explain prints into the configuration, and judges the
// mail again.
func TestAllow(t *testing.T) {
	programs := string(sample.Attached("Invoice", sample.Program("setup.exe")))
	for name, c := range map[string]struct{ rules, mail, from string }{
		"a rule of the profile":   {"", programs, "alice@example.net"},
		"the null sender":         {"", programs, ""},
		"an own rule":             {"[[rule]]\nname = \"own\"\nwhen = [\"attachment/*\"]\naction = \"quarantine\"\n", programs, "alice@example.net"},
		"a rule about no finding": {"[[rule]]\nname = \"all\"\nfrom = [\"@example.net\"]\naction = \"reject\"\n", "Subject: x\r\n\r\nx\r\n", "alice@example.net"},
		"both":                    {"[[rule]]\nname = \"all\"\nfrom = [\"@example.net\"]\naction = \"reject\"\n", programs, `"odd \\ one"@example.net`},
	} {
		dir := t.TempDir()
		file := writeConfig(t, dir)
		before, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		judge := func(rules string) int {
			if err := os.WriteFile(file, append(before[:len(before):len(before)], "\n"+rules...), 0o600); err != nil {
				t.Fatal(err)
			}
			var out, errs bytes.Buffer
			return run(t.Context(), []string{"filter", "-c", file, "--from", c.from, "--to", "bob@example.com"}, strings.NewReader(c.mail), &out, &errs)
		}
		if status := judge(c.rules); status == cli.ExitOK {
			t.Fatalf("%s: delivered without a rule", name)
		}
		_, list, _ := call(t, "history", "-c", file)
		id, _, _ := strings.Cut(list, " ")
		status, rule, errs := call(t, "explain", id, "--allow", "-c", file)
		if status != cli.ExitOK || !strings.HasSuffix(rule, "action = \"deliver\"\n") {
			t.Fatalf("%s: status %d, %s%s", name, status, rule, errs)
		}
		if status := judge(rule + c.rules); status != cli.ExitOK {
			t.Errorf("%s: status %d with\n%s", name, status, rule)
		}
		if status, _, errs := call(t, "check", "-c", file); status != cli.ExitOK && !strings.Contains(errs, "never decides") {
			t.Errorf("%s: check: status %d, %s", name, status, errs)
		}
		_, list, _ = call(t, "history", "-c", file)
		id, _, _ = strings.Cut(list, " ")
		if status, rule, errs := call(t, "explain", id, "--allow", "-c", file); status != cli.ExitFound || rule != "" || !strings.Contains(errs, "was delivered") {
			t.Errorf("%s: delivered, status %d, %s%s", name, status, rule, errs)
		}
	}
}

// TestNoRuleForAVirus suggests none.
func TestNoRuleForAVirus(t *testing.T) {
	file := writeConfig(t, t.TempDir())
	mail := sample.Attached("x", sample.EicarFile())
	var out, errs bytes.Buffer
	if status := run(t.Context(), []string{"filter", "-c", file, "--from", "a@example.net", "--to", "b@example.com"}, bytes.NewReader(mail), &out, &errs); status == cli.ExitOK {
		t.Fatal("delivered")
	}
	_, list, _ := call(t, "history", "-c", file)
	id, _, _ := strings.Cut(list, " ")
	if status, rule, errs := call(t, "explain", id, "--allow", "-c", file); status != cli.ExitFound || rule != "" || !strings.Contains(errs, "infected") {
		t.Errorf("status %d, %s%s", status, rule, errs)
	}
}
