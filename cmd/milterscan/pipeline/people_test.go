package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/milterscan/milterscan/policy/people/directory"
)

// TestLanguagesOfPeople: a notice is in the language of its reader, as far as there are texts in it.
func TestLanguagesOfPeople(t *testing.T) {
	table := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(table, []byte("address,aliases,language\nann@example.com,a@example.com,de-AT\nbob@example.com,,\ncy@example.com,,tlh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := loaded(t, fmt.Sprintf("[notices]\nlanguage = \"fr\"\nlanguages = { \"example.com\" = \"es\" }\n[people]\nfile = %q\n[[people.source]]\nname = \"staff\"\ntype = \"csv\"\nfile = %q\n",
		filepath.Join(t.TempDir(), "people.db"), table))
	d := NewDirectory(c, directory.Options{})
	d.Load(t.Context())
	terms, err := noticeTerms(c, d.Language)
	if err != nil {
		t.Fatal(err)
	}
	for to, want := range map[string]string{"ann@example.com": "de", "A+x@Example.com": "de", "bob@example.com": "es", "cy@example.com": "es", "eve@example.com": "es", "eve@example.net": "fr"} {
		if got := terms.Language(to); got != want {
			t.Errorf("%s reads %s, want %s", to, got, want)
		}
	}
}
