//go:build linux

package virus

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/open/worker"
	"github.com/milterscan/milterscan/scan/scantest"
	"github.com/milterscan/milterscan/scan/units"
)

// byRules returns an engine that runs a script in place of yara. The last argument is the directory.
func byRules(t *testing.T, verdict, script string) (*Engine, error) {
	t.Helper()
	rules := filepath.Join(t.TempDir(), "r.yar")
	if err := os.WriteFile(rules, []byte("rule a { condition: true }"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := Config{Name: "yara", Type: TypeYARA, MaxStream: units.MB}
	c.Command = []string{program(t, `for dir; do :; done`+"\n"+script)}
	c.Rules, c.Verdict = []string{rules}, verdict
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	return yaraEngine(c)
}

const likeYARA = `for f in "$dir"/*; do grep -q evil "$f" && echo "Evil_1 $f"; grep -q worse "$f" && echo "Worse $f"; done; exit 0`

func TestYARAContract(t *testing.T) {
	e, err := byRules(t, "", likeYARA)
	if err != nil {
		t.Fatal(err)
	}
	scantest.Run(t, e, Catalogue()...)
}

func TestYARA(t *testing.T) {
	m := func() *scan.Message {
		return scantest.Message("", scan.Part{Path: "1", Content: scantest.Bytes([]byte("good"))}, scan.Part{Path: "2", Content: scantest.Bytes([]byte("evil"))},
			scan.Part{Path: "3", Content: scantest.Bytes([]byte("evil and worse"))})
	}
	for name, test := range map[string]struct {
		verdict, script string
		want, failure   string
	}{
		"infected":   {"", likeYARA, "virus/Evil_1@1 virus/Evil_1@2", ""},
		"suspicious": {"suspicious", likeYARA, "virus/suspicious/Evil_1@1 virus/suspicious/Evil_1@2", ""},
		"clean":      {"", "exit 0", "", ""},
		"one too late": {"", `[ -e "$dir/2" ] || exit 0; echo "error scanning $dir/1: scanning timed out" >&2; ` + likeYARA,
			"virus/Evil_1@1 virus/Evil_1@2", "part 1: scanning timed out"},
		"a status":       {"", `[ -e "$dir/2" ] || exit 0; exit 1`, "", "exit status 1"},
		"another file":   {"", `[ -e "$dir/2" ] || exit 0; echo "Evil /etc/passwd"`, "", "neither verdict"},
		"a number":       {"", `[ -e "$dir/2" ] || exit 0; echo "Evil $dir/9"`, "", "neither verdict"},
		"no rule":        {"", `[ -e "$dir/2" ] || exit 0; echo "Ev/il $dir/1"`, "", "neither verdict"},
		"a lot":          {"", `[ -e "$dir/2" ] || exit 0; i=0; while [ $i -lt 9999 ]; do echo "Evil_1 $dir/2"; i=$((i+1)); done`, "virus/Evil_1@1", "says more than"},
		"killed":         {"", `[ -e "$dir/2" ] || exit 0; kill -9 $$`, "", "signal"},
		"a line with no": {"", `[ -e "$dir/2" ] || exit 0; printf 'Evil_1 %s' "$dir/2"`, "virus/Evil_1@1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := byRules(t, test.verdict, test.script)
			if err != nil {
				t.Fatal(err)
			}
			found, err := e.Scan(t.Context(), m())
			var got []string
			for _, f := range found {
				got = append(got, f.Rule+"@"+string(rune('0'+f.Part)))
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
			if (err != nil) != (test.failure != "") || err != nil && !strings.Contains(err.Error(), test.failure) {
				t.Errorf("%v, want %q", err, test.failure)
			}
		})
	}
}

// TestYARARules: rules that cannot be compiled are an error when the engine is made.
func TestYARARules(t *testing.T) {
	_, err := byRules(t, "", `echo 'error: rule "x" in /r.yar(3): syntax error' >&2; exit 1`)
	if err == nil || !strings.Contains(err.Error(), `/r.yar(3): syntax error`) {
		t.Errorf("%v", err)
	}
	dir := t.TempDir()
	source, compiled := filepath.Join(dir, "a.yar"), filepath.Join(dir, "b.yarc")
	for path, text := range map[string]string{source: "rule a {condition: true}", compiled: "YARA\x13\x0c"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		files []string
		want  string
	}{
		{[]string{source}, "r0:" + source}, {[]string{source, source}, "r0:" + source + " r1:" + source}, {[]string{compiled}, "-C " + compiled},
		{[]string{source, compiled}, "error"}, {[]string{filepath.Join(dir, "gone")}, "error"},
	} {
		args, err := rulesOf(test.files)
		if got := strings.Join(args, " "); err == nil && got != test.want || err != nil && test.want != "error" {
			t.Errorf("%q: %q, %v", test.files, got, err)
		}
	}
	for key, c := range map[string]Config{
		"rules":    {Name: "y", Type: TypeYARA},
		"rules[0]": {Name: "y", Type: TypeYARA, YARA: YARA{Rules: []string{"r.yar"}}},
		"verdict":  {Name: "y", Type: TypeYARA, YARA: YARA{Rules: []string{"/r.yar"}, Verdict: "clean"}},
		"command":  {Name: "y", Type: TypeYARA, YARA: YARA{Rules: []string{"/r.yar"}}, Program: Program{Command: []string{"/usr/bin/yara", "-x"}}},
		"lists":    {Name: "y", Type: TypeYARA, YARA: YARA{Rules: []string{"/r.yar"}}, Lists: []string{"/l.hdb"}},
	} {
		if faults := units.Faults(c.Check()); len(faults) != 1 || faults[0].Key != key {
			t.Errorf("%s: %v", key, faults)
		}
	}
}

func FuzzYARA(f *testing.F) {
	f.Add("Evil /d/1\nerror scanning /d/2: could not map file into memory\n", 0)
	f.Fuzz(func(t *testing.T, output string, status int) {
		found, err := parseYARA(worker.Outcome{Output: output, Status: status}, "/d", 2)
		for _, m := range found {
			if m.content < 0 || m.content > 1 || sanitised(m.rule) != m.rule && len(m.rule) <= longestSignature {
				t.Errorf("%+v", m)
			}
		}
		if err == nil && (status != 0 || len(found) != strings.Count(strings.TrimSuffix(output, "\n")+"\n", "\n") && output != "") {
			t.Errorf("%q is taken for %d matches", output, len(found))
		}
	})
}
