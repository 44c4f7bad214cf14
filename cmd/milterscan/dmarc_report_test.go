package main

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/dmarc"
	"github.com/milterscan/milterscan/scan/sender/auth"
)

// TestReportsOfDMARC has the commands before there is anything to report, and after.
func TestReportsOfDMARC(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "dmarc.db")
	config := writeConfig(t, dir)
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	section := fmt.Sprintf("[dmarc_reports]\norganization = \"Us\"\nemail = \"dmarc@us.example\"\nfile = %q\n", file)
	if err := os.WriteFile(config, append([]byte(section), text...), 0o600); err != nil {
		t.Fatal(err)
	}
	command := func(want int, words, line string) {
		t.Helper()
		status, out, errs := call(t, append(append([]string{"dmarc-report"}, strings.Fields(line)...), "-c", config)...)
		if status != want || !strings.Contains(out+errs, words) {
			t.Errorf("%s: %d, want %d and %q:\n%s%s", line, status, want, words, out, errs)
		}
	}
	for _, line := range []string{"preview --domain example.org", "send", "status"} {
		command(cli.ExitFound, "nothing to report yet", line)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a command has made the file")
	}
	yesterday := time.Now().UTC().AddDate(0, 0, -1)
	s := dmarc.NewFile(file)
	defer s.Close()
	var c dmarc.Collector
	c.Note(&auth.Evaluation{Client: netip.MustParseAddr("192.0.2.1"), Author: "example.org", Asked: "reject",
		Policy: auth.Published{Domain: "example.org", P: "reject", SP: "reject", NP: "reject"}}, policy.Decision{}, yesterday)
	if err := c.Flush(t.Context(), s, dmarc.DefaultConfig(), yesterday); err != nil {
		t.Fatal(err)
	}
	day := yesterday.Format(time.DateOnly)
	command(cli.ExitOK, "<source_ip>192.0.2.1</source_ip>", "preview --domain example.org --day "+day)
	command(cli.ExitFound, "nothing to report", "preview --domain example.net --day "+day)
	command(cli.ExitError, "is no day", "preview --domain example.org --day today")
	command(cli.ExitUsage, "--domain names none", "preview")
	command(cli.ExitUsage, "--day takes --domain", "send --day "+day)
	command(cli.ExitError, "reports are off", "send")
	command(cli.ExitOK, day+"  waiting     example.org", "status")
	command(cli.ExitOK, `"domain":"example.org"`, "status --json")
}
