package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/tests/fakes"
	"github.com/milterscan/milterscan/tests/sample"
)

// Where no daemon runs, filter keeps, remembers and tells what the daemon would.
func TestFilterKeepsAccounts(t *testing.T) {
	dir, mta := t.TempDir(), &fakes.SMTP{}
	file := filepath.Join(dir, "milterscan.toml")
	text := fmt.Sprintf(`
[milter]
listen = ["unix:%[1]s/nobody.sock"]
[quarantine]
dir = "%[1]s/quarantine"
[history]
file = "%[1]s/history.db"
addresses = false
[notices]
dir = "%[1]s/notices"
[submission]
via = "smtp:%[2]s"
[[rule]]
name = "programs"
when = ["forbidden"]
action = "quarantine"
notify = ["admin@example.com"]
`, dir, mta.Start(t))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	command := func(args ...string) (int, string) {
		var out, errs bytes.Buffer
		mail := bytes.NewReader(sample.Attached("x", sample.Program("setup.exe")))
		status := run(t.Context(), args, mail, &out, &errs)
		return status, out.String() + errs.String()
	}
	for range 3 { // the second and third notice come too soon
		if status, out := command("filter", "-c", file, "--from", "a@example.net", "--to", "b@example.com"); status != cli.ExitNothingLeft || out != "" {
			t.Fatalf("filter: status %d, %s", status, out)
		}
	}
	if got := mta.Got(); len(got) != 1 || got[0].To[0] != "<admin@example.com>" || !strings.Contains(got[0].Data, "setup.exe") {
		t.Errorf("notices %+v", got)
	}
	for words, want := range map[string]string{"quarantine list": "<a@example.net> to b@example.com", "history": "quarantine", "report": "quarantine", "quarantine expire": "0 messages removed"} {
		status, out := command(append(strings.Fields(words), "-c", file)...)
		if status != cli.ExitOK || !strings.Contains(out, want) {
			t.Errorf("%s: status %d, %s", words, status, out)
		}
		if words == "history" && (strings.Count(out, "\n") != 3 || strings.Contains(out, "a@example.net")) {
			t.Errorf("history: %s", out)
		}
	}
}

func TestCommandsWithoutAnything(t *testing.T) {
	file := filepath.Join(t.TempDir(), "milterscan.toml")
	if err := os.WriteFile(file, []byte("[quarantine]\ndir = \""+filepath.Dir(file)+"/quarantine\"\n[history]\nfile = \"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for words, want := range map[string]int{
		"quarantine": cli.ExitUsage, "quarantine -h": cli.ExitOK, "quarantine nonsense": cli.ExitUsage, "quarantine list -c FILE": cli.ExitOK, "quarantine show -c FILE": cli.ExitUsage,
		"quarantine show -c FILE 06h08cfwgrgbyv96": cli.ExitFound, "quarantine release -c FILE ../../etc": cli.ExitFound, "quarantine list -c FILE --since soon": cli.ExitUsage, "quarantine list -c FILE --since yesterday": cli.ExitOK,
		"quarantine forward -c FILE x": cli.ExitUsage, "quarantine forward -c FILE x --to a@example.com": cli.ExitFound, "quarantine forward --to a@example.com -c FILE": cli.ExitUsage, "explain": cli.ExitUsage, "explain -c FILE x": cli.ExitFound, "history -c FILE": cli.ExitError, "report -c FILE": cli.ExitError,
		"check -c FILE --migrate": cli.ExitOK, "quarantine reindex -c FILE": cli.ExitOK,
	} {
		var out, errs bytes.Buffer
		if status := run(t.Context(), strings.Fields(strings.ReplaceAll(words, "FILE", file)), nil, &out, &errs); status != want {
			t.Errorf("%s: status %d, want %d: %s%s", words, status, want, &out, &errs)
		}
	}
}
