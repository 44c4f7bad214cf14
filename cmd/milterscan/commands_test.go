package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/doctor"
)

var update = flag.Bool("update", false, "write docs/commands.md anew")

// commandsPage is docs/commands.md: the help of all commands.
func commandsPage(t *testing.T) string {
	var b strings.Builder
	fmt.Fprint(&b, "# Commands\n\nThis page lists what every command takes, and the status it ends with, as its `--help` does.\n\n"+
		"Options and arguments may come in any order; `--` ends the options. An option there is not, a value that cannot be and an argument that is not\n"+
		"expected are refused with status 64 before anything is done. `--help` does nothing else. `-c FILE` may also come before the command.\n"+
		"`milterscan` alone prints help; the daemon is `milterscan serve`. `milterscan help KEY` explains a key of the configuration, such as `limits.archive.depth`, or a\n"+
		"section, such as `[history]`; `milterscan help FINDING` a finding, or those that a pattern such as `archive/*` matches.\n\n"+
		"`-c` names the configuration file. Without it a command reads the file that the variable `MILTERSCAN_CONFIG` of the environment names; without that\n"+
		"`/etc/milterscan/milterscan.toml`; and where there is none, most go by what is shipped, and `check` says so. No command looks into the directory in which it is called:\n"+
		"a configuration names programs that are run. Errors name the file.\n\n"+
		"Times are shown to persons in the zone of the host, with the zone (`2026-11-30 17:10:00 +0100`), and to programs (`--json`, `--csv`, the log) in UTC (`2026-11-30T16:10:00Z`).\n\n"+
		"Long work – `scan` of many files, `replay`, `retro`, `quarantine reindex`, `list import` and `export`, `import` and `store migrate` – shows on standard error how far it is, if that is a terminal that moves its\n"+
		"cursor; with `--json`, and where results go to the same terminal while it works, it does not.\n\n"+
		"`--json` prints JSON, one object a line, of which later versions may have more keys. Where a command does something its object says what: `quarantine release` and `forward` the `id`\n"+
		"and `sent_to` or `forwarded_to`, `delete` the `id` and `deleted`; `expire` and `list remove` the number `removed`; `reindex` that of `messages`; `learn` the `mail` and `learned_as`;\n"+
		"`import` the `configuration`, the `report`, and the number of `settings` by what became of them; `store check` each `fault` with the `id` of its message, and how many `messages` and `faults`\n"+
		"there are; `store migrate` of each kind of `state` where it was (`from`), a `note`, and how much is `left` there; "+
		"`list import` the number `made`; `greylist pass` the `sender`, `recipient` and `until`; `feed check` each `value` with the `feed` that lists it; `people limit` the `address`, whether a limit is\n"+
		"`set`, and its `score`; `digest send` how many were `sent` and `refused`, with `--dry-run` each `address`; `dmarc-report send` how many were `sent`, `unwanted`, `failed` and put off to `later`,\n"+
		"with `--domain` the `state`. What went wrong is on standard error, and in the exit status.\n\n"+
		exitStatuses())
	for _, command := range everyCommand() {
		status, help, _ := call(t, append(command, "--help")...)
		if status != cli.ExitOK {
			t.Fatalf("%q: status %d", command, status)
		}
		fmt.Fprintf(&b, "\n## %s\n\n", strings.Join(command, " "))
		for line := range strings.Lines(help) {
			fmt.Fprint(&b, strings.TrimRight("    "+line, " \n"), "\n")
		}
	}
	return b.String()
}

// exitStatuses returns the table of all exit statuses: the common ones in words, and for each command what else it
// ends with.
func exitStatuses() string {
	var b strings.Builder
	b.WriteString("## Exit statuses\n\nNo command ends with a status that is not in its row.\n\n| command | 0 | 1 | 2 | other |\n|---|---|---|---|---|\n")
	for _, command := range everyCommand() {
		name := strings.Join(command, " ")
		cells := map[int]string{}
		var others []string
		for _, e := range cli.ManualOf(name).Exits {
			if e.Status <= cli.ExitError {
				cells[e.Status] = e.Means
			} else {
				others = append(others, fmt.Sprintf("%d %s", e.Status, e.Means))
			}
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", name, cells[0], cells[1], cells[2], strings.Join(others, "; "))
	}
	return strings.ReplaceAll(b.String(), "; nothing was done", "")
}

// TestCommandsPage compares docs/commands.md with the help of all commands.
func TestCommandsPage(t *testing.T) {
	page := filepath.Join("..", "..", "docs", "commands.md")
	want := commandsPage(t)
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(page); err != nil || string(got) != want {
		t.Errorf("%s is not what the commands say (%v); run go test ./cmd/milterscan -run CommandsPage -update", page, err)
	}
}

// TestHelpHasExamples runs the option parser over every example.
func TestHelpHasExamples(t *testing.T) {
	for _, command := range everyCommand() {
		name := strings.Join(command, " ")
		m := cli.ManualOf(name)
		if len(m.Examples) == 0 || len(m.Exits) < 2 {
			t.Errorf("%s: %+v", name, m)
		}
		for _, e := range m.Examples {
			line, _, _ := strings.Cut(e, " #")
			rest, ok := strings.CutPrefix(line, "milterscan "+name)
			if !ok {
				t.Errorf("%s: the example %q is of another command", name, e)
			}
			words := strings.Fields(rest)
			for i, w := range words {
				if strings.ContainsAny(w, "|<>") && !strings.HasPrefix(w, "'<") {
					words = words[:i]
					break
				}
			}
			// An unknown option would be refused although help is asked for.
			if i := strings.Index(strings.Join(words, " "), " -- "); i < 0 {
				_, _, errs := call(t, append(append(strings.Fields(name), words...), "--bogus")...)
				if !strings.Contains(errs, "there is no option --bogus") {
					t.Errorf("%s: %q: %s", name, e, errs)
				}
			}
		}
	}
}

// TestJSON has the commands that say what is so say it for programs.
func TestJSON(t *testing.T) {
	dir := t.TempDir()
	good := writeConfig(t, dir)
	bad := filepath.Join(dir, "bad.toml")
	if err := os.WriteFile(bad, []byte("[limits]\ntime = 7\nbogus = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		words  string
		status int
		want   string
	}{
		{"version --json", cli.ExitOK, `"version":"` + release},
		{"--version --json", cli.ExitOK, `"go":"go`},
		{"check --json -c " + good, cli.ExitOK, `"ok":true,"problems":[],"warnings":[]`},
		{"check --json -c " + bad, cli.ExitConfig, `"line":3,"key":"limits.bogus"`},
		{"check --json -c /nowhere", cli.ExitConfig, `"ok":false`},
	} {
		status, out, errs := call(t, strings.Fields(c.words)...)
		if status != c.status || !strings.Contains(out, c.want) || !json.Valid([]byte(out)) || errs != "" {
			t.Errorf("%s: status %d, %s%s", c.words, status, out, errs)
		}
	}
}

// TestSetupForPrograms: JSON is for looking, so that nothing is asked in between.
func TestSetupForPrograms(t *testing.T) {
	for _, words := range []string{"setup --json postfix", "setup --json --yes postfix", "setup --json --dry-run"} {
		if status, out, errs := call(t, strings.Fields(words)...); status != cli.ExitUsage || out != "" || errs == "" {
			t.Errorf("%s: status %d, %s%s", words, status, out, errs)
		}
	}
}

// TestDoctorForPrograms prints findings as JSON and as plugins of Nagios do.
func TestDoctorForPrograms(t *testing.T) {
	well, advice, fault := doctor.Finding{Check: "clock"}, doctor.Finding{Level: doctor.Advice, Check: "helpers", What: "no unar"}, doctor.Finding{Level: doctor.Fault, Check: "clamd", What: "dead | gone", Fix: "start it"}
	for _, c := range []struct {
		found        []doctor.Finding
		nagios, json int
		line         string
	}{
		{[]doctor.Finding{well}, 0, 0, "MILTERSCAN OK - 1 checks\n"},
		{[]doctor.Finding{well, advice}, 1, 0, "MILTERSCAN WARNING - 1 of 2 checks, first: helpers: no unar\n"},
		{[]doctor.Finding{advice, fault}, 2, 1, "MILTERSCAN CRITICAL - 1 of 2 checks, first: clamd: dead / gone\n"},
	} {
		var line, object bytes.Buffer
		if status := nagiosLine(cli.Streams{Out: &line}, c.found); status != c.nagios || line.String() != c.line {
			t.Errorf("%+v: status %d, %s", c.found, status, &line)
		}
		var said struct {
			Healthy  bool
			Findings []struct{ Level, Check, What, Fix string }
		}
		status := findingsJSON(cli.Streams{Out: &object}, c.found)
		if err := json.Unmarshal(object.Bytes(), &said); err != nil || status != c.json || said.Healthy != (status == 0) || len(said.Findings) != len(c.found) || said.Findings[0].Check != c.found[0].Check {
			t.Errorf("%+v: status %d, %v, %s", c.found, status, err, &object)
		}
	}
}

// TestCheckOfADomainsFile refuses a configuration with a bad file of a domain, which
// the daemon would go on without.
func TestCheckOfADomainsFile(t *testing.T) {
	dir := t.TempDir()
	file := writeConfig(t, dir)
	text, err := os.ReadFile(file)
	domains := filepath.Join(dir, "domains.d")
	err = errors.Join(err, os.Mkdir(domains, 0o700), os.WriteFile(filepath.Join(domains, "a.example.toml"), []byte("no_such_key = 1\n"), 0o600),
		os.WriteFile(file, append(text, "[per_domain]\ndir = \"domains.d\"\n"...), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	const want = "a.example.toml:1: no_such_key: there is no such key"
	if status, _, errs := call(t, "check", "-c", file); status != cli.ExitConfig || !strings.Contains(errs, want) {
		t.Errorf("status %d, %s", status, errs)
	}
	if status, out, _ := call(t, "check", "--json", "-c", file); status != cli.ExitConfig || !strings.Contains(out, `"line":1`) || !strings.Contains(out, `"ok":false`) {
		t.Errorf("status %d, %s", status, out)
	}
}

// TestCheckShowsAPart prints what the files set, and the rules alone.
func TestCheckShowsAPart(t *testing.T) {
	file := writeConfig(t, t.TempDir())
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, append(text, "[[rule]]\nname = \"mine\"\nfrom = [\"a@example.net\"]\naction = \"deliver\"\n"...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	for words, c := range map[string]struct{ has, lacks []string }{
		"--effective":           {[]string{"quarantine.dir", "limits.parts", `"mine"`, "profile default"}, nil},
		"--changed":             {[]string{"quarantine.dir", `"mine"`}, []string{"limits.parts", "profile default"}},
		"--rules":               {[]string{`"mine"`, "profile default"}, []string{"quarantine.dir"}},
		"--effective --rules":   {[]string{`"mine"`, "profile default"}, []string{"quarantine.dir"}},
		"--rules --changed":     {[]string{"  6. \"mine\""}, []string{"quarantine.dir", "profile default"}},
		"--effective --changed": {[]string{"quarantine.dir"}, []string{"limits.parts"}},
	} {
		status, out, errs := call(t, append(strings.Fields("check "+words), "-c", file)...)
		if status != cli.ExitOK || errs != "" {
			t.Errorf("%s: status %d, %s", words, status, errs)
		}
		for _, h := range c.has {
			if !strings.Contains(out, h) {
				t.Errorf("%s lacks %s", words, h)
			}
		}
		for _, l := range c.lacks {
			if strings.Contains(out, l) {
				t.Errorf("%s has %s", words, l)
			}
		}
	}
}

// forProgramsAlready says why commands have no --json.
var forProgramsAlready = map[string]string{
	"serve": "its log is JSON", "filter": "it prints the mail, or nothing", "completion": "it prints what a shell reads",
	"man": "it writes files", "config": "it prints a file in TOML", "bugreport": "it is one text, for a person to read before it is passed on",
	"selftest": "it prints a table of families, and a status", "digest preview": "it prints the mail", "dmarc-report preview": "it prints the report in XML",
	"list add": "list show --json has what it makes", "list export": "--format json", "user passwd": "it prints a password at the most",
	"user add": "it prints a password at the most", "token add": "it prints the token alone", "user disable": "it prints nothing",
	"user enable": "it prints nothing", "user remove": "it prints nothing", "token revoke": "it prints nothing", "digest resume": "it prints nothing",
}

// TestCommandsPageSpeaksJSON walks over all commands: each has --json, or a reason not to.
func TestCommandsPageSpeaksJSON(t *testing.T) {
	known := map[string]bool{}
	for _, command := range everyCommand() {
		name := strings.Join(command, " ")
		known[name] = true
		_, help, _ := call(t, append(command, "--help")...)
		has, why := strings.Contains(help, "\n  --json\n"), forProgramsAlready[name]
		if has == (why != "") {
			t.Errorf("%s: --json is %v, and its reason %q", name, has, why)
		}
	}
	for name := range forProgramsAlready {
		if !known[name] {
			t.Errorf("there is no command %q", name)
		}
	}
}

// TestDoneForPrograms prints an object for what was done.
func TestDoneForPrograms(t *testing.T) {
	file, _ := keptMails(t, 3)
	lists := listing(t)
	senders := filepath.Join(t.TempDir(), "senders.txt")
	put(t, senders, "@spam.example\n@bad.example\n")
	id := fmt.Sprintf("06h0%012d", 1)
	for _, c := range []struct{ words, want string }{
		{"quarantine reindex -c " + file, `{"messages":3}`}, {"quarantine delete -c " + file + " " + id, `{"deleted":true,"id":"` + id + `"}`},
		{"quarantine reindex -c " + file, `{"messages":2}`}, {"list import --for host --act block -c " + lists + " " + senders, `{"made":2}`},
		{"list remove --for host -c " + lists + " @bad.example", `{"for":"host","pattern":"@bad.example","removed":1}`},
		{"list remove --for host --all -c " + lists, `{"for":"host","removed":1}`},
	} {
		if status, out, errs := call(t, append(strings.Fields(c.words), "--json")...); status != cli.ExitOK || out != c.want+"\n" {
			t.Errorf("%s: status %d, %s%s", c.words, status, out, errs)
		}
	}
}
