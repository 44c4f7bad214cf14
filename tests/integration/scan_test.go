package integration

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
)

// opinion is what "milterscan scan --json" says about one file.
type opinion struct {
	File     string
	Error    string
	Action   string
	Findings []struct{ Kind, Rule, Part, Detail string }
	Edits    []struct{ Kind, Part, Name, Value string }
}

// judged is the verdict of the shipped configuration on each of the files.
func judged(t *testing.T, files ...string) []opinion {
	t.Helper()
	config := filepath.Join(t.TempDir(), "milterscan.toml")
	if err := os.WriteFile(config, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(servers.Binary(t), append([]string{"scan", "--json", "-c", config, "--from", "sender@example.org", "--to", "user@test.local", "--"}, files...)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, _ := cmd.Output() // the status says only that something was found
	var all []opinion
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var v opinion
		if err := dec.Decode(&v); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	if len(all) != len(files) {
		t.Fatalf("%d verdicts on %d files: %s", len(all), len(files), errs.String())
	}
	return all
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
