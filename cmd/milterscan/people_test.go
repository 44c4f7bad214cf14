package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
)

// staffed writes a table of people and a configuration that names it.
func staffed(t *testing.T, table, more string) (config, csv string) {
	t.Helper()
	dir := t.TempDir()
	config, csv = filepath.Join(dir, "milterscan.toml"), filepath.Join(dir, "people.csv")
	text := fmt.Sprintf("[local]\ndomains = [\"example.com\"]\n[people]\nfile = %q\n[[people.source]]\nname = \"staff\"\ntype = \"csv\"\nfile = %q\ndomains = [\"example.com\"]\n%s",
		filepath.Join(dir, "people.db"), csv, more)
	for path, text := range map[string]string{config: text, csv: table} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return config, csv
}

const staff = "address,name,aliases,groups,delegates\nann@example.com,Ann,a@example.com,finance,bob@example.com\nbob@example.com,Bob,,it,\nno address,Eve,,,\n"

// TestPeopleShow: an address is its person's, and who may act for whom is shown.
func TestPeopleShow(t *testing.T) {
	config, csv := staffed(t, staff, "")
	status, out, _ := call(t, "people", "show", "-c", config, "A+x@Example.com")
	if want := "ann@example.com Ann\n  aliases    a@example.com\n  groups     finance\n  delegates  bob@example.com\n"; status != cli.ExitOK || out != want {
		t.Errorf("status %d:\n%swant\n%s", status, out, want)
	}
	status, out, _ = call(t, "people", "show", "-c", config, "--json", "bob@example.com")
	var got struct {
		Known, Sure bool
		Acts        []struct{ Address string } `json:"acts_for"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || status != cli.ExitOK || !got.Known || !got.Sure || len(got.Acts) != 1 || got.Acts[0].Address != "ann@example.com" {
		t.Errorf("status %d, %v: %s", status, err, out)
	}
	if status, out, _ = call(t, "people", "show", "-c", config, "eve@example.com"); status != cli.ExitFound || !strings.Contains(out, "no source has it") {
		t.Errorf("status %d: %s", status, out)
	}
	os.Remove(csv)
	if status, _, errs := call(t, "people", "show", "-c", config, "ann@example.com"); status != cli.ExitError || !strings.Contains(errs, "cannot be loaded") {
		t.Errorf("nothing is known: status %d, %s", status, errs)
	}
}

// TestPeopleCheck: what sources have and what is wrong with them is said.
func TestPeopleCheck(t *testing.T) {
	config, csv := staffed(t, staff, "")
	status, out, _ := call(t, "people", "check", "-c", config)
	for _, want := range []string{"staff (csv): 3 addresses in", "1 left out", "line 4:", "2 people with 3 addresses, 2 groups, 0 conflicts", "group finance: 1"} {
		if status != cli.ExitOK || !strings.Contains(out, want) {
			t.Errorf("status %d: %q is not in\n%s", status, want, out)
		}
	}
	os.Remove(csv)
	if status, out, _ = call(t, "people", "check", "-c", config, "--json"); status != cli.ExitError || !strings.Contains(out, "no such file") {
		t.Errorf("status %d: %s", status, out)
	}
	bare := filepath.Join(t.TempDir(), "milterscan.toml")
	if err := os.WriteFile(bare, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, errs := call(t, "people", "check", "-c", bare); status != cli.ExitConfig || !strings.Contains(errs, "people.source") {
		t.Errorf("no sources: status %d, %s", status, errs)
	}
}

// TestGroupsInTheConfiguration: a group in which nobody is, is an error; where that cannot be said, a warning.
func TestGroupsInTheConfiguration(t *testing.T) {
	rule := "[[rule]]\nname = \"r\"\nto = [\"group:%s\"]\naction = \"reject\"\n"
	config, csv := staffed(t, staff, fmt.Sprintf(rule, "Finance"))
	if status, _, errs := call(t, "check", "-c", config); status != cli.ExitOK {
		t.Errorf("status %d: %s", status, errs)
	}
	wrong, _ := staffed(t, staff, fmt.Sprintf(rule, "finnance"))
	if status, _, errs := call(t, "check", "-c", wrong); status != cli.ExitConfig || !strings.Contains(errs, `nobody is in a group of that name`) {
		t.Errorf("status %d: %s", status, errs)
	}
	os.Remove(csv)
	if status, _, errs := call(t, "check", "-c", config); status != cli.ExitOK || !strings.Contains(errs, "warning: people.source staff cannot be loaded") {
		t.Errorf("status %d: %s", status, errs)
	}
	bare := filepath.Join(t.TempDir(), "milterscan.toml")
	if err := os.WriteFile(bare, []byte(fmt.Sprintf(rule, "finance")), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, errs := call(t, "check", "-c", bare); status != cli.ExitConfig || !strings.Contains(errs, "no [[people.source]]") {
		t.Errorf("status %d: %s", status, errs)
	}
}

// TestRecipientsInFiles: scan goes by people, and says who is not there.
func TestRecipientsInFiles(t *testing.T) {
	config, csv := staffed(t, staff, "[[rule]]\nname = \"unknown\"\nwhen = [\"recipient/unknown\"]\naction = \"reject\"\n[[rule]]\nname = \"finance\"\nto = [\"group:finance\"]\naction = \"discard\"\n")
	mail := filepath.Join(t.TempDir(), "mail.eml")
	if err := os.WriteFile(mail, []byte("From: <x@else.example>\r\nSubject: x\r\n\r\nx\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for to, want := range map[string]string{"eve@example.com": "550 5.1.1", "ann@example.com": "discard", "bob@example.com": "deliver", "eve@else.example": "relay"} {
		_, out, errs := call(t, "scan", "-c", config, "--from", "x@else.example", "--to", to, mail)
		if !strings.Contains(out, want) {
			t.Errorf("to %s: %q is not in\n%s%s", to, want, out, errs)
		}
	}
	os.Remove(csv)
	if _, out, _ := call(t, "scan", "-c", config, "--from", "x@else.example", "--to", "ann@example.com", mail); !strings.Contains(out, "recipient/failed") || !strings.Contains(out, "tempfail") {
		t.Errorf("nobody can say who is in the group:\n%s", out)
	}
}
