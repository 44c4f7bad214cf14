package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/store"
)

// TestVerdicts: nothing waits, a message waits, one waits for too long.
func TestVerdicts(t *testing.T) {
	h := sound(t)
	p := h.installation(t, "[[virus]]\nname = \"sandbox\"\ntype = \"http\"\naddress = \"http://127.0.0.1:1/\"\npoll = \"http://127.0.0.1:1/{id}\"\nawait = \"1h\"\n")
	p.Config.Quarantine.Dir = filepath.Join(h.dir, "kept")
	if found := p.verdicts(t.Context()); len(found) > 0 {
		t.Errorf("without a quarantine: %+v", found)
	}
	if err := os.Mkdir(p.Config.Quarantine.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	x := store.NewIndex(filepath.Join(p.Config.Quarantine.Dir, quarantine.IndexFile), func(err error) { t.Error(err) })
	defer x.Close()
	said := func(level Level, want string) {
		t.Helper()
		if found := p.verdicts(t.Context()); len(found) != 1 || found[0].Level != level || !strings.Contains(found[0].What, want) {
			t.Errorf("%+v, want %q", found, want)
		}
	}
	now := p.Now
	put := func(id string, age time.Duration, engines ...string) {
		t.Helper()
		if err := x.Put(t.Context(), quarantine.Row{ID: id, Time: now.Add(-age), KeptAt: now.Add(-age), Awaits: engines}); err != nil {
			t.Fatal(err)
		}
	}
	put("a", time.Minute)
	said(Advice, "not known")
	if err := x.Replace(t.Context(), nil, time.Now()); err != nil {
		t.Fatal(err)
	}
	said(OK, "0 kept messages")
	put("b", time.Hour, "virus/sandbox")
	put("c", 2*time.Hour, "virus/gone")
	said(OK, "2 kept messages")
	put("b", 2*time.Hour, "virus/sandbox")
	said(Fault, "1 kept messages await the verdict of an engine for longer")
}
