package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
)

// TestImport takes over a directory, checks what is made of it, and holds docs/moving.md to what is printed.
func TestImport(t *testing.T) {
	from, dir := filepath.Join("moving", "testdata", "mailscanner"), filepath.Join(t.TempDir(), "new")
	status, out, errs := call(t, "import", "mailscanner", from, "--output", dir)
	if status != cli.ExitFound || errs != "" {
		t.Fatalf("status %d, %s%s", status, out, errs)
	}
	if status, out, errs := call(t, "check", "-c", filepath.Join(dir, "milterscan.toml")); status != cli.ExitOK {
		t.Errorf("check: status %d, %s%s", status, out, errs)
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "moving.md"))
	if err != nil {
		t.Fatal(err)
	}
	report, err := os.ReadFile(filepath.Join(dir, "report.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if line := "    " + strings.ReplaceAll(out, dir, "/root/milterscan"); !strings.Contains(string(page), line) {
		t.Errorf("docs/moving.md does not have\n%s", line)
	}
	_, shown, _ := strings.Cut(string(page), "       Not understood\n")
	shown, _, _ = strings.Cut(shown, "\n2. ")
	for line := range strings.Lines(shown) {
		if line = strings.TrimSpace(line); !strings.Contains(string(report), line) {
			t.Errorf("docs/moving.md shows %q, which is not in the report", line)
		}
	}
	if status, _, errs := call(t, "import", "mailscanner", from, "--output", dir); status != cli.ExitError || !strings.Contains(errs, "is there already") {
		t.Errorf("again: status %d, %s", status, errs)
	}
}

// TestImportEnds has the statuses that it ends with.
func TestImportEnds(t *testing.T) {
	plain := t.TempDir()
	if err := os.WriteFile(filepath.Join(plain, "MailScanner.conf"), []byte("Max Children = 5\nRequired SpamAssassin Score = 6\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		status int
		args   []string
	}{
		{cli.ExitOK, []string{plain, "--output", filepath.Join(t.TempDir(), "new")}},
		{cli.ExitError, []string{t.TempDir(), "--output", filepath.Join(t.TempDir(), "new")}},
		{cli.ExitError, []string{filepath.Join(plain, "nowhere"), "--output", t.TempDir()}},
		{cli.ExitUsage, []string{plain}},
		{cli.ExitUsage, []string{plain, plain, "--output", t.TempDir()}},
		{cli.ExitUsage, []string{"--output", t.TempDir()}},
	} {
		if status, out, errs := call(t, append([]string{"import", "mailscanner"}, row.args...)...); status != row.status {
			t.Errorf("%q: status %d, %s%s", row.args, status, out, errs)
		}
	}
}
