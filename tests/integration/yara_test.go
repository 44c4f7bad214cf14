package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
)

// TestYARA has the real YARA look at mail, in the sandbox: it finds what rules say, also in archives,
// reads rules from several files and compiled ones, is no "clean" where it runs out of time, and rules
// that cannot be compiled are an error of the configuration.
func TestYARA(t *testing.T) {
	needServers(t)
	for _, program := range []string{"yara", "yarac"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	file := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	rules := file("rules.yar", "include \"more.yar\"\nrule Evil_Words : tagged {\n  strings: $a = \"wicked words\" nocase\n  condition: $a\n}\n")
	file("more.yar", "rule Included { strings: $a = { 01 02 03 04 } condition: $a }\n")
	second := file("second.yar", "rule Evil_Words { condition: false }\nrule Also { strings: $a = \"also\" condition: $a }\n")
	broken := file("broken.yar", "rule Fine { condition: true }\n\nrule Broken { condition: $nothing }\n")
	slow := file("slow.yar", "rule Slow { condition: filesize > 0 and for all i in (0..100000000000) : (uint8(i % filesize) != 256) }\n")
	compiled := filepath.Join(dir, "rules.yarc")
	if out, err := exec.Command("yarac", rules, compiled).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	entries := 0
	entry := func(more string, rules ...string) string {
		entries++
		for i, r := range rules {
			rules[i] = fmt.Sprintf("%q", r)
		}
		return file(fmt.Sprintf("%d.toml", entries), fmt.Sprintf("[[virus]]\nname = \"yara\"\ntype = \"yara\"\nrules = [%s]\n%s\n", strings.Join(rules, ", "), more))
	}
	run := func(args ...string) string {
		out, _ := exec.Command(servers.Binary(t), args...).CombinedOutput()
		return string(out)
	}
	scan := func(config string, mail []byte) string {
		return run("scan", "-c", config, "--json", file("mail.eml", string(mail)))
	}
	wicked := sample.Attached("zipped", sample.Zip("a.zip", sample.File{Name: "a.txt", Content: []byte("some Wicked Words in it")}))
	for name, test := range map[string]struct {
		config, want string
		mail         []byte
	}{
		"a member":   {entry("", rules), `"rule":"virus/Evil_Words","part":"2/a.txt"`, wicked},
		"suspicious": {entry(`verdict = "suspicious"`, rules), `"kind":"suspicious","scanner":"virus","rule":"virus/suspicious/Evil_Words"`, wicked},
		"two files":  {entry("", rules, second), `"rule":"virus/Also"`, sample.Plain("s", "this also")},
		"compiled":   {entry("", compiled), `"rule":"virus/Evil_Words"`, wicked},
		"included":   {entry("", rules), `"rule":"virus/Included"`, sample.Plain("s", "\x01\x02\x03\x04")},
		"clean":      {entry("", rules), `"complete":true`, sample.Plain("s", "nothing of that")},
		"late":       {entry(`timeout = "1s"`, slow), `"rule":"virus/failed/yara"`, sample.Plain("s", "text")},
	} {
		if out := scan(test.config, test.mail); !strings.Contains(out, test.want) || name == "clean" && strings.Contains(out, `"rule":"virus/`) {
			t.Errorf("%s: %s is not in\n%.2000s", name, test.want, out)
		}
	}
	if out := run("check", "-c", entry("", broken)); !strings.Contains(out, `broken.yar(3)`) || !strings.Contains(out, `virus engine "yara"`) {
		t.Errorf("check says\n%s", out)
	}
	if out := run("check", "-c", entry("", rules)); !strings.Contains(out, "no errors") {
		t.Errorf("check says\n%s", out)
	}
}
