package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/tests/sample"
)

// checked runs "check" on a configuration beside which two mails lie: one with a
// program, and one with nothing to say about.
func checked(t *testing.T, config string) (status int, out string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string][]byte{
		"milterscan.toml": []byte(config), "program.eml": sample.Attached("x", sample.Program("setup.exe")), "plain.eml": sample.Plain("x", "hello"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var stdout, stderr bytes.Buffer
	status = run(t.Context(), []string{"check", "-c", filepath.Join(dir, "milterscan.toml")}, nil, &stdout, &stderr)
	return status, stdout.String() + stderr.String()
}

const labRule = `
[[rule]]
name = "the lab may"
to = ["lab@example.com"]
when = ["forbidden"]
action = "deliver"
`

func TestTestsBesideRules(t *testing.T) {
	for config, want := range map[string]string{
		labRule + "[[test]]\nmail = \"program.eml\"\nto = [\"lab@example.com\"]\nexpect = \"deliver\"\nrule = \"the lab may\"\n": "",
		labRule + "[[test]]\nmail = \"program.eml\"\nto = [\"bob@example.com\"]\nexpect = \"reject\"\n":                          "",
		"[[test]]\nmail = \"plain.eml\"\nexpect = \"deliver\"\n":                                                                 "",
		labRule + "[[test]]\nmail = \"program.eml\"\nto = [\"bob@example.com\"]\nexpect = \"deliver\"\n":                         "milterscan.toml:7: test: ",
		"[[test]]\nmail = \"program.eml\"\nexpect = \"reject\"\nrule = \"default/bomb\"\n":                                       "not by rule \"default/bomb\": rule \"default/program\", because of attachment/",
		"[[test]]\nmail = \"program.eml\"\nexpect = \"deliver\"\n":                                                               "reject, not deliver",
		"[[test]]\nmail = \"missing.eml\"\nexpect = \"deliver\"\n":                                                               "milterscan.toml:2: test[0].mail: there is no mail",
		"[[test]]\nmail = \"plain.eml\"\nexpect = \"delver\"\n":                                                                  "did you mean \"deliver\"",
		"[[test]]\nmail = \"plain.eml\"\nexpect = \"deliver\"\nrule = \"nonesuch\"\n":                                            "there is no rule \"nonesuch\"",
		"[[test]]\nmail = \"plain.eml\"\nexpect = \"deliver\"\nclient = \"nonsense\"\n":                                          "is no IP address",
	} {
		status, out := checked(t, config)
		if want == "" && status != cli.ExitOK || want != "" && (status != cli.ExitConfig || !strings.Contains(out, want)) {
			t.Errorf("%s\nstatus %d, %s\nwant %q", config, status, out, want)
		}
	}
}

func TestContradictions(t *testing.T) {
	for config, want := range map[string]string{
		"[[rule]]\nname = \"a\"\nwhen = [\"attachment/nmae\"]\naction = \"deliver\"\n":                                          "\"a\" can never match: attachment/nmae is no finding",
		"[[rule]]\nname = \"a\"\nwhen = [\"attachment/nmae\", \"content/frm\"]\naction = \"reject\"\n":                          "attachment/nmae is no finding that is ever made; did you mean \"attachment/name\"?, ",
		"[[rule]]\nname = \"a\"\naction = \"reject\"\n[[rule]]\nname = \"b\"\nto = [\"x@example.com\"]\naction = \"deliver\"\n": "milterscan.toml:4: rule: \"b\" never decides: all it is for is decided by \"a\"",
		"[[rule]]\nname = \"a\"\nrequires = [\"score >= 5\", \"score < 5\"]\naction = \"reject\"\n":                             "no score meets",
		labRule + "[[rule]]\nname = \"b\"\nto = [\"x@example.com\"]\nwhen = [\"forbidden\"]\naction = \"deliver\"\n":            "",
	} {
		status, out := checked(t, config)
		if want == "" && status != cli.ExitOK || want != "" && (status != cli.ExitConfig || !strings.Contains(out, want)) {
			t.Errorf("%s\nstatus %d, %s\nwant %q", config, status, out, want)
		}
	}
}

func TestCheckWarns(t *testing.T) {
	for config, want := range map[string]string{
		"[milter]\nlisten = [\"tcp:0.0.0.0:7357\"]\n":                                                   "milterscan.toml:2: milter.listen[0]: tcp:0.0.0.0:7357 is every address",
		"[milter]\nlisten = [\"unix:/nowhere/m.sock\"]\n":                                               "milter.listen[0]: directory /nowhere does not exist",
		"[[rule]]\nname = \"s\"\nwhen = [\"score >= 5\"]\naction = \"reject\"\n":                        "milterscan.toml:1: rule: \"s\" rests on the score",
		"[[rule]]\naction = \"deliver\"\n[[rule]]\nwhen = [\"attachment/name\"]\naction = \"reject\"\n": "milterscan.toml:3: rule: \"rule 2\" never decides",
		"[[rule]]\naction = \"deliver\"\n[[rule]]\nwhen = [\"virus/*\"]\naction = \"quarantine\"\n":     "",
	} {
		status, out := checked(t, config)
		if status != cli.ExitOK || !strings.Contains(out, "no errors") || strings.Contains(out, "warning:") != (want != "") || !strings.Contains(out, want) {
			t.Errorf("%s\nstatus %d, %s\nwant the warning %q", config, status, out, want)
		}
	}
}
