package integration

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/procstat"
	"github.com/milterscan/milterscan/tests/sample"
)

// opinion is what "milterscan scan --json" says about one file.
type opinion struct {
	File     string
	Error    string
	Action   string
	Findings []finding
	Edits    []struct{ Kind, Part, Name, Value string }
}

type finding struct{ Kind, Rule, Part, Detail string }

// cost is what a process and its children took.
type cost struct {
	cpu  time.Duration
	peak int64 // bytes of memory
}

// command is "milterscan scan" of a configuration; "" is what is shipped.
func command(t *testing.T, config string, files ...string) *exec.Cmd {
	t.Helper()
	path := filepath.Join(t.TempDir(), "milterscan.toml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return exec.Command(servers.Binary(t), append([]string{"scan", "--json", "-c", path, "--from", "sender@example.org", "--to", "user@test.local", "--"}, files...)...)
}

// judged is the verdict of the shipped configuration on each of the files.
func judged(t *testing.T, files ...string) []opinion {
	t.Helper()
	return judgedBy(t, "", files...)
}

// judgedBy is the verdict of a configuration on each of the files.
func judgedBy(t *testing.T, config string, files ...string) []opinion {
	t.Helper()
	cmd := command(t, config, files...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, _ := cmd.Output() // the status says only that something was found
	all := opinions(t, out)
	if len(all) != len(files) {
		t.Fatalf("%d verdicts on %d files: %s", len(all), len(files), errs.String())
	}
	return all
}

func opinions(t *testing.T, out []byte) []opinion {
	t.Helper()
	var all []opinion
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var v opinion
		if err := dec.Decode(&v); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

// judgedMails is the verdict of a configuration on each of the mails.
func judgedMails(t *testing.T, config string, mails [][]byte) []opinion {
	t.Helper()
	dir := t.TempDir()
	files := make([]string, len(mails))
	for i, mail := range mails {
		files[i] = filepath.Join(dir, strconv.Itoa(i)+".eml")
		if err := os.WriteFile(files[i], mail, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return judgedBy(t, config, files...)
}

// measured is the verdict of a configuration on a mail, by a process of its own,
// and what that cost. Memory is looked at every few milliseconds.
func measured(t *testing.T, config string, mail []byte) (opinion, cost) {
	t.Helper()
	cmd := command(t, config, "-")
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout = bytes.NewReader(mail), &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
	}()
	var c cost
	for done := false; !done; {
		select {
		case <-ended:
			done = true
		case <-time.After(2 * time.Millisecond):
			c.peak = max(c.peak, procstat.Resident(cmd.Process.Pid))
		}
	}
	c.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	all := opinions(t, out.Bytes())
	if len(all) != 1 {
		t.Fatalf("%d verdicts on a mail: %v", len(all), cmd.ProcessState)
	}
	return all[0], c
}

// judgedFile is the verdict on a mail with one file attached.
func judgedFile(t *testing.T, name string, content []byte) opinion {
	t.Helper()
	mail := filepath.Join(t.TempDir(), "mail.eml")
	file := sample.File{Name: name, Type: "application/octet-stream", Content: content}
	if err := os.WriteFile(mail, sample.Attached("a file", file), 0o600); err != nil {
		t.Fatal(err)
	}
	return judged(t, mail)[0]
}

// rules are the findings graver than malformed, each rule once.
func (v opinion) rules() string {
	var rules []string
	for _, f := range v.Findings {
		if f.Kind != "note" && f.Kind != "malformed" && !slices.Contains(rules, f.Rule) {
			rules = append(rules, f.Rule)
		}
	}
	return strings.Join(rules, " ")
}

// detail is what a finding of that rule says, "" without one.
func (v opinion) detail(rule string) string {
	for _, f := range v.Findings {
		if f.Rule == rule {
			return f.Detail
		}
	}
	return ""
}

// says reports whether there is a finding whose rule begins so.
func (v opinion) says(rule string) bool {
	return slices.ContainsFunc(v.Findings, func(f finding) bool { return strings.HasPrefix(f.Rule, rule) })
}

func (v opinion) infected() bool { return v.says("virus/") }
