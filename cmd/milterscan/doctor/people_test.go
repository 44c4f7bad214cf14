package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/people/directory"
)

// TestPeople: a source that was not loaded lately is said, and one that was as well.
func TestPeople(t *testing.T) {
	h := sound(t)
	table := filepath.Join(h.dir, "people.csv")
	if err := os.WriteFile(table, []byte("address\nann@example.com\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p := h.installation(t, "[people]\nfile = \""+h.dir+"/people.db\"\n[[people.source]]\nname = \"staff\"\ntype = \"csv\"\nfile = \""+table+"\"\n")
	said := func(want string) {
		t.Helper()
		if found := p.people(t.Context()); len(found) != 1 || !strings.Contains(found[0].What, want) || len(faults(found)) > 0 {
			t.Errorf("%+v, want %q", found, want)
		}
	}
	said("nothing is known")
	d := directory.New(directory.Options{Dir: h.dir, Keep: true})
	d.Use(p.Config.People.Sources, "")
	d.Load(t.Context())
	said("1 addresses, loaded")
	old := time.Now().Add(-3 * time.Hour)
	if err := os.Chtimes(filepath.Join(h.dir, "people-staff.json"), old, old); err != nil {
		t.Fatal(err)
	}
	said("loaded 3h0m0s ago")
	if found := h.installation(t, "").people(t.Context()); len(found) > 0 {
		t.Errorf("no source is named: %+v", found)
	}
}
