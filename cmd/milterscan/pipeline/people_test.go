package pipeline

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/people/directory"
	"github.com/milterscan/milterscan/scan"
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

// TestImpostors: who a mail says it is from is compared with the people and domains of the configuration,
// mail of ours is not, and no profile refuses what is found.
func TestImpostors(t *testing.T) {
	table := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(table, []byte("address,name,aliases\njane@example.com,Jane Doe,jane@home.example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, profile := range policy.Profiles() {
		c := loaded(t, fmt.Sprintf("profile = %q\n[local]\ndomains = [\"example.com\"]\nnetworks = [\"192.0.2.0/24\"]\n[people]\nfile = %q\n"+
			"[[people.source]]\nname = \"staff\"\ntype = \"csv\"\nfile = %q\n", profile, filepath.Join(t.TempDir(), "people.db"), table))
		p, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		for _, row := range []struct{ client, from, want string }{
			{"198.51.100.1:25", `"Doe, Jane" <x@exarnple.com>`, "content/impersonation content/lookalike-domain"},
			{"198.51.100.1:25", "Jane Doe <jane@home.example>", ""},
			{"192.0.2.1:25", "Jane Doe <x@exarnple.com>", ""},
		} {
			env := scan.Envelope{Client: netip.MustParseAddrPort(row.client), Sender: "x@relay.example", Recipients: []string{"ann@example.com"}}
			r, err := p.ScanReader(t.Context(), strings.NewReader("From: "+row.from+"\r\nSubject: x\r\n\r\nhello\r\n"), env)
			if err != nil {
				t.Fatal(err)
			}
			var rules []string
			for _, f := range r.Found {
				if strings.HasPrefix(f.Rule, "content/") {
					rules = append(rules, f.Rule)
				}
			}
			slices.Sort(rules)
			if got := strings.Join(rules, " "); got != row.want || r.Decision.Answer != policy.Deliver {
				t.Errorf("%s: %+v: found %q, %v", profile, row, got, r.Decision.Answer)
			}
			r.Close()
		}
	}
}
