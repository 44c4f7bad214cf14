package entity

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOrdinaryMail shows that no mail of the corpus of legitimate oddities is
// beyond a limit, or ambiguous unless the corpus says that it is.
func TestOrdinaryMail(t *testing.T) {
	files, err := filepath.Glob("../../../tests/corpus/*.eml")
	if err != nil || len(files) == 0 {
		t.Fatal("no corpus", err)
	}
	for _, name := range files {
		msg, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		p := NewParser(Limits{})
		p.Write(msg)
		_, notes := open(t, msg, p.Close(), "", 0)
		for _, n := range notes {
			if n.Class == Exceeded || n.Class == Ambiguous && !allowsAmbiguous(t, name) {
				t.Errorf("%s: %s (class %d) %s", filepath.Base(name), n.Code, n.Class, n.Detail)
			}
		}
	}
}

// allowsAmbiguous reports whether the corpus says that a mail is ambiguous.
func allowsAmbiguous(t *testing.T, mail string) bool {
	want, err := os.ReadFile(strings.TrimSuffix(mail, ".eml") + ".want")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(want)) {
		if strings.HasPrefix(line, "allow ") && strings.Contains(line, "ambiguous") {
			return true
		}
	}
	return false
}
