package integration

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// keepInfected is a configuration that keeps infected mail in a directory.
func keepInfected(dir string) string {
	return fmt.Sprintf(`
[quarantine]
dir = %q

[[rule]]
name = "keep viruses"
when = ["infected"]
action = "quarantine"
`, dir)
}

// Quarantined mail is accepted, not delivered, and kept byte for byte.
func TestQuarantine(t *testing.T) {
	dir := t.TempDir()
	onEachMTA(t, keepInfected(dir), func(t *testing.T, h *house) { testQuarantine(t, h, dir) })
}

func testQuarantine(t *testing.T, h *house, dir string) {
	m := infected()
	wantReply(t, "a virus", h.send(m), 250)
	h.mta.Settle(t)
	if n := h.mta.Mailbox().Count(); n != 0 {
		t.Errorf("%d mails arrived", n)
	}
	if !holds(t, dir, m.Data) {
		t.Errorf("no file in the quarantine holds the mail")
	}
}

// What cannot be kept is not accepted: its sender still has it.
func TestQuarantineOutOfOrder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, keepInfected(filepath.Join(file, "quarantine")))
	wantReply(t, "a virus", h.send(infected()), 451, "4.3.0")
	wantReply(t, "clean mail", h.send(clean("beside it")), 250)
}

// holds reports whether a file below dir ends with the mail.
func holds(t *testing.T, dir string, mail []byte) bool {
	t.Helper()
	found := false
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if strings.HasSuffix(path, ".eml.gz") {
			found = found || bytes.HasSuffix(gunzip(t, path), mail)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func gunzip(t *testing.T, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
