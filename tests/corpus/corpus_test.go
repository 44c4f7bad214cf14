package corpus

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestAll loads everything and checks what the users of the corpus rely on.
func TestAll(t *testing.T) {
	mails, err := All()
	if err != nil {
		t.Fatal(err)
	}
	if len(mails) < 150 {
		t.Errorf("only %d mails", len(mails))
	}
	for _, m := range mails {
		if len(m.Message) == 0 || m.Want.Action != "deliver" {
			t.Errorf("%s: %d bytes, action %q", m.Name, len(m.Message), m.Want.Action)
		}
		if !strings.Contains(m.Name, "lf-only") && !bytes.Contains(m.Message, []byte("\r\n")) {
			t.Errorf("%s: no CRLF in it: were line ends changed on the way?", m.Name)
		}
	}
}

func TestParseWant(t *testing.T) {
	for _, bad := range []string{"", "action deliver\n", "why x\n", "action deliver\nwhy x\nwant y\n"} {
		if _, err := parseWant(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestFoundFilesBelongToMails(t *testing.T) {
	files, err := fs.Glob(stored, "*.found")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if _, err := fs.Stat(stored, strings.TrimSuffix(f, ".found")+".eml"); err != nil {
			t.Errorf("%s is of no mail: remove it", f)
		}
	}
}

// TestPrivate writes down what became of a mail outside the repository, and reads it
// again.
func TestPrivate(t *testing.T) {
	dir := t.TempDir()
	if mails, err := Private(filepath.Join(dir, "missing")); len(mails) > 0 || err != nil {
		t.Error(mails, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "x.eml"), []byte("A: b\r\n\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, found := range [][]string{{"note a/b 1", "note c/d"}, {"note c/d"}, nil} {
		mails, err := Private(dir)
		if err != nil || len(mails) != 1 {
			t.Fatal(mails, err)
		}
		if err := mails[0].Update(dir, "reject", found); err != nil {
			t.Fatal(err)
		}
		mails, err = Private(dir)
		if err != nil || mails[0].Want.Action != "reject" || !slices.Equal(mails[0].Found, found) {
			t.Errorf("%+v, %v", mails, err)
		}
	}
}
