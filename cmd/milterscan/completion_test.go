package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
)

// TestCompletion asks as the scripts do: what may come after the words of a command line, the last
// of them begun.
func TestCompletion(t *testing.T) {
	for line, want := range map[string]string{
		"q":                              "quarantine",
		"quarantine re":                  "reindex release",
		"scan --j":                       "--json",
		"quarantine list --class i":      "infected",
		"quarantine list --class=i":      "infected",
		"quarantine list --to ":          "",
		"help limits.archive.de":         "limits.archive.depth",
		"help archive/dep":               "archive/depth",
		"help archive/depth ":            "",
		"completion ":                    "bash zsh fish",
		"completion bash ":               "",
		"setup p":                        "postfix",
		"check ":                         "",
		"quarantine release --to x --in": "--infected",
	} {
		status, out, _ := call(t, append([]string{"__complete"}, strings.Split(line, " ")...)...)
		var got []string
		for offered := range strings.Lines(out) {
			word, _, _ := strings.Cut(strings.TrimSpace(offered), "\t")
			if word != "" && word[0] != ':' {
				got = append(got, word)
			}
		}
		if status != cli.ExitOK || !strings.Contains(" "+strings.Join(got, " ")+" ", " "+want) || want == "" && len(got) > 0 {
			t.Errorf("%q: %d %q", line, status, got)
		}
		if files := strings.Contains(out, ":0\n"); files {
			t.Errorf("%q offers files", line)
		}
	}
	for _, line := range []string{"scan ", "scan -c ", "replay --with ", "man "} {
		if _, out, _ := call(t, append([]string{"__complete"}, strings.Split(line, " ")...)...); !strings.Contains(out, ":0\n") {
			t.Errorf("%q offers no files: %s", line, out)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if status, out, errs := call(t, "completion", shell); status != cli.ExitOK || !strings.Contains(out, "milterscan") || errs != "" {
			t.Errorf("%s: %d %s", shell, status, errs)
		}
	}
	if status, _, errs := call(t, "completion", "csh"); status != cli.ExitUsage || !strings.Contains(errs, "bash, zsh, fish") {
		t.Errorf("%d %s", status, errs)
	}
}

// TestScriptOfBash has bash read its script and complete a command line. Of bash-completion, which the
// script goes by, it has the one function that is needed.
func TestScriptOfBash(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash")
	}
	dir := t.TempDir()
	_, script, _ := call(t, "completion", "bash")
	_, answer, _ := call(t, "__complete", "quarantine", "rel")
	put(t, filepath.Join(dir, "script"), script)
	put(t, filepath.Join(dir, "answer"), answer)
	put(t, filepath.Join(dir, "milterscan"), "#!"+bash+"\n[ \"$*\" = '__complete quarantine rel' ] && cat '"+dir+"/answer'\n")
	if err := os.Chmod(filepath.Join(dir, "milterscan"), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bash, "--norc", "-c", `
		_get_comp_words_by_ref() { cur=${COMP_WORDS[COMP_CWORD]} words=("${COMP_WORDS[@]}") cword=$COMP_CWORD; }
		source "$1"/script
		COMP_WORDS=(milterscan quarantine rel) COMP_CWORD=2 COMP_LINE="milterscan quarantine rel" COMP_POINT=25
		__start_milterscan
		echo "${COMPREPLY[@]}"`, "bash", dir)
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
	if got, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(got), "release") {
		t.Errorf("%v: %s", err, got)
	}
}

// TestManual writes the pages, of which each command has one, and has a formatter read them if there
// is one.
func TestManual(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man1")
	if status, out, errs := call(t, "man", dir); status != cli.ExitOK || out+errs != "" {
		t.Fatal(status, out, errs)
	}
	pages := []string{filepath.Join(dir, "milterscan.1")}
	for _, command := range everyCommand() {
		pages = append(pages, filepath.Join(dir, "milterscan-"+strings.Join(command, "-")+".1"))
	}
	if n := len(namesBelow(t, dir)) - 1; n != len(pages) {
		t.Errorf("%d pages of %d", n, len(pages))
	}
	for _, page := range pages {
		text := readText(t, page)
		for _, want := range []string{".TH ", ".SH NAME\n", ".SH SYNOPSIS\n"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s has no %s", page, want)
			}
		}
		if groff, err := exec.LookPath("groff"); err == nil {
			if out, err := exec.Command(groff, "-man", "-Tutf8", "-ww", "-z", page).CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%s: %v %s", page, err, out)
			}
		}
	}
	if text := readText(t, filepath.Join(dir, "milterscan-scan.1")); !strings.Contains(text, `\-\-json`) || !strings.Contains(text, "EXIT STATUS") {
		t.Error(text)
	}
	if status, _, errs := call(t, "man", "/proc/nowhere"); status != cli.ExitError || errs == "" {
		t.Errorf("%d %s", status, errs)
	}
}
