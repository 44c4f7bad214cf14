package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/people"
)

// TestLists says whether lists can be read, and makes no file by looking.
func TestLists(t *testing.T) {
	file := filepath.Join(t.TempDir(), "people.db")
	p := &Installation{Config: &config.Config{People: config.People{File: file}}, Now: time.Now()}
	look := func(step string, level Level, want string) {
		t.Helper()
		got := p.lists(t.Context())
		if len(got) != 1 || got[0].Level != level || !strings.Contains(got[0].What, want) {
			t.Errorf("%s: %+v", step, got)
		}
	}
	look("no file", OK, "no person has listed any sender yet")
	if _, err := os.Stat(file); err == nil {
		t.Error("looking has made a file")
	}
	s := people.New(file)
	root := people.Maker{Name: "root", Level: people.OfHost, Terms: people.DefaultTerms()}
	if _, err := s.Add(t.Context(), root, people.Entry{Owner: people.Host, Act: people.Block, Pattern: "@spam.example"}); err != nil {
		t.Fatal(err)
	}
	look("an entry", OK, "1 senders are listed")
	s.Close()
	if err := os.WriteFile(file, []byte(strings.Repeat("garbage ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	look("garbage", Fault, "cannot be read")
	if p.Gently = true; p.lists(t.Context()) != nil {
		t.Error("a daemon that looks at itself opens the file")
	}
}
