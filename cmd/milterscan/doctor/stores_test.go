package doctor

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy/keep/store"
	"github.com/milterscan/milterscan/tests/procstat"
)

func TestSenders(t *testing.T) {
	h := sound(t)
	keys := filepath.Join(h.dir, "keys")
	if err := os.WriteFile(keys, []byte("a "+strings.Repeat("0a", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	section := func(dir string) string {
		return "[greylist]\nenabled = true\nfile = \"" + dir + "/greylist.db\"\n[rate]\nfile = \"" + dir + "/rate.db\"\n" +
			"[[rate.limit]]\nname = \"users\"\nby = \"user\"\nrecipients = 1\nper = \"1h\"\n[bounce]\nkeys = \"" + keys + "\"\n"
	}
	if found := h.installation(t, section(h.dir)).senders(); len(found) != 3 || len(faults(found)) > 0 {
		t.Errorf("%+v", found)
	}
	if err := os.Chmod(keys, 0o644); err != nil {
		t.Fatal(err)
	}
	list := faults(h.installation(t, section(h.dir+"/nowhere")).senders())
	for i, want := range []string{"greylist.file: ", "rate.file: ", "mode is 0644"} {
		if len(list) != 3 || !strings.Contains(list[i].What, want) || list[i].Fix == "" {
			t.Errorf("%q is not said: %+v", want, list)
		}
	}
	if found := h.installation(t, "").senders(); len(found) > 0 {
		t.Errorf("nothing is switched on: %+v", found)
	}
}

// TestStores: each file in which something is kept is looked at.
func TestStores(t *testing.T) {
	h := sound(t)
	file := filepath.Join(h.dir, "history.db")
	section := "[notices]\ndir = \"" + h.dir + "/notices\"\n"
	h.historyFile = file
	well := h.installation(t, section).stores(t.Context())
	if len(well) != 3 || len(faults(well)) > 0 {
		t.Errorf("%+v", well)
	}
	if err := os.WriteFile(file, []byte("no database at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	if found := faults(h.installation(t, section).stores(t.Context())); len(found) != 1 || !strings.Contains(found[0].What, "history.file: "+file+": it is no database") {
		t.Errorf("%+v", found)
	}
	if err := os.WriteFile(file, []byte("SQLite format 3\x00 and more"), 0o600); err != nil {
		t.Fatal(err)
	}
	if found := faults(h.installation(t, section).stores(t.Context())); len(found) > 0 {
		t.Errorf("%+v", found)
	}
	h.historyFile = h.dir + "/nowhere/history.db"
	if found := h.installation(t, section).stores(t.Context()); len(faults(found)) > 0 || found[0].Level != Advice {
		t.Errorf("%+v", found)
	}
	missing := "[notices]\ndir = \"" + file + "/notices\"\n"
	if found := faults(h.installation(t, missing).stores(t.Context())); len(found) != 1 || found[0].Fix == "" {
		t.Errorf("%+v", found)
	}
}

// TestFirstDay: of a quarantine that no mail has needed yet, doctor says that it
// will be made, and of one that cannot be made, that it is a fault.
func TestFirstDay(t *testing.T) {
	h := sound(t)
	p := h.installation(t, "")
	p.Config.Quarantine.Dir = filepath.Join(h.dir, "a", "b")
	if f := p.quarantine(); f.Level != OK || !strings.Contains(f.What, "is made when it is needed") {
		t.Errorf("%+v", f)
	}
	file := filepath.Join(h.dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() != 0 {
		return
	}
	locked := filepath.Join(h.dir, "locked")
	if err := os.Mkdir(locked, 0o755); err != nil {
		t.Fatal(err)
	}
	p.User = "nobody"
	p.Config.Quarantine.Dir = filepath.Join(locked, "q")
	if f := p.quarantine(); f.Level != Fault || !strings.Contains(f.Fix, "install -d -m 700 -o nobody "+locked+"/q") {
		t.Errorf("%+v", f)
	}
}

// TestSocketGone: a daemon whose socket was removed is running, and has to be
// restarted, not started; and Postfix' rights to what is not there are no fault.
func TestSocketGone(t *testing.T) {
	h := sound(t)
	p := h.installation(t, "")
	if err := os.Remove(filepath.Join(h.dir, "milter.sock")); err != nil {
		t.Fatal(err)
	}
	found := faults(p.Examine(t.Context()))
	if len(found) != 1 || found[0].Fix != "systemctl restart milterscan" || !strings.Contains(found[0].What, "was removed") {
		t.Errorf("%+v", found)
	}
}

// TestDaemonKeepsItsLocks: what a daemon looks at of itself costs it no lock on a database.
func TestDaemonKeepsItsLocks(t *testing.T) {
	h := sound(t)
	h.historyFile = filepath.Join(h.dir, "history.db")
	history := store.NewHistory(h.historyFile, func(err error) { t.Error(err) })
	defer history.Close()
	if err := history.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := h.installation(t, "")
	p.Only, p.Gently = Running(), true
	found := p.Examine(t.Context())
	if !slices.ContainsFunc(found, func(f Finding) bool { return strings.Contains(f.What, "history.file can be kept") }) {
		t.Errorf("the history was not looked at: %+v", found)
	}
	if lost := procstat.Unlocked(os.Getpid()); len(lost) > 0 {
		t.Errorf("the lock on %q is lost", lost)
	}
}

// TestQuick: a quick examination looks at what is the daemon's own, and at no server.
func TestQuick(t *testing.T) {
	p := sound(t).installation(t, "")
	p.Only = Quick()
	asked := map[string]bool{}
	for _, f := range p.Examine(t.Context()) {
		asked[f.Check] = true
	}
	if len(asked) != len(Quick()) {
		t.Errorf("looked at %v, want %v", asked, Quick())
	}
}
